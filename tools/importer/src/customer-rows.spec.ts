import { describe, expect, it } from 'vitest';
import { customerMapping } from './customer-rows.js';

const header = ['CIK', 'Name', 'HQ address', 'Mail'];
const map = new Map([
  ['companyName', 'Name'],
  ['registeredAddress', 'HQ address'],
]);
const set = new Map([['servicesUsed', 'dedicated server']]);
const options = { key: 'CIK', door: 'service-order', map, set };

describe('a customer from a row', () => {
  it('has the key, the mapped columns and the constants; an empty cell is not given', () => {
    const { rowOf } = customerMapping(header, { ...options, map: new Map([...map, ['email', 'Mail']]) });
    expect(rowOf(['7', '=Acorn', '1 Oak Street\nSpringfield', ''])).toEqual({
      key: '7',
      attributes: {
        companyName: '=Acorn',
        registeredAddress: '1 Oak Street\nSpringfield',
        servicesUsed: 'dedicated server',
      },
    });
  });

  it('is refused without a key', () => {
    expect(customerMapping(header, options).rowOf([' ', 'Acorn', 'x', ''])).toEqual({
      problem: 'no customer number in column "CIK"',
    });
  });

  it.each([
    ['an unknown door', { door: 'window' }, /no door "window"\. Doors: service-order, subscription, job-application/],
    ['an unknown key column', { key: 'cik' }, /--key: the file has no column "cik"\. Its columns: "CIK", "Name"/],
    ['an unknown column', { map: new Map([...map, ['email', 'E-mail']]) }, /--map: the file has no column "E-mail"/],
    [
      'an unknown attribute',
      { map: new Map([...map, ['shoeSize', 'Mail']]) },
      /--map: there is no attribute "shoeSize".*companyName/,
    ],
    [
      'an attribute of another door',
      { set: new Map([...set, ['curriculumVitae', 'x']]) },
      /--set: no purpose of the door service-order.*P12/,
    ],
    [
      'a compulsory attribute left out',
      { set: new Map() },
      /servicesUsed: compulsory at the door service-order \(P1\)/,
    ],
    [
      'an attribute given twice',
      { set: new Map([...set, ['companyName', 'x']]) },
      /"companyName" stands in --map and in --set/,
    ],
  ])('is not tried with %s', (_, change, message) => {
    expect(() => customerMapping(header, { ...options, ...change })).toThrow(message);
  });

  it('is not tried where a column stands twice', () => {
    expect(() => customerMapping([...header, 'Name'], options)).toThrow('the file has two columns "Name"');
  });
});
