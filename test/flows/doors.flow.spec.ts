import { eventually } from '@castiron/testing';
import { describe, expect, it } from 'vitest';
import { Castiron, COMPANY } from '../support/castiron.js';

const castiron = new Castiron();

describe('the three doors (P12)', () => {
  it('makes an applicant who orders a service a new customer, and carries nothing over', async () => {
    const applicant = await castiron.register('job-application', {
      contactName: 'The Night Desk',
      email: 'robin@reed.example',
    });
    const customer = await castiron.register('service-order', COMPANY);
    expect(customer).not.toBe(applicant);
    const read = await castiron.call('customer-profiles', 'GET', `/customers/${customer}`, {
      as: ['customer', customer],
    });
    expect(read).toMatchObject({ status: 200, body: { door: 'service-order' } });
    expect(read.body['attributes']).toEqual(COMPANY);
  });

  it('records a subscription as the permission to mail', async () => {
    const customer = await castiron.register('subscription', { email: 'reader@acorn.example' });
    await eventually(async () => {
      const answer = await castiron.call('partner-sharing', 'GET', `/customers/${customer}/permissions`, {
        as: ['customer', customer],
      });
      expect(answer.body).toMatchObject({
        permissions: [{ recipient: 'notifications', purpose: 'mailing', state: 'granted', statementVersion: 1 }],
      });
    });
  });

  it('names the compulsory attribute that is missing, and the promise', async () => {
    const answer = await castiron.call('customer-profiles', 'POST', '/registrations/service-order', {
      as: ['service', 'portal'],
      body: { attributes: { companyName: 'Acorn', servicesUsed: 'web' } },
    });
    expect(answer).toMatchObject({ status: 400, body: { promise: 'P1', field: 'attributes.registeredAddress' } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });
});
