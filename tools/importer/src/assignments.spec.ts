import { describe, expect, it } from 'vitest';
import { parseMap, parseSet } from './assignments.js';

describe('what a person types', () => {
  it('maps attributes to columns, in one list or many', () => {
    const expected = [
      ['companyName', 'Name'],
      ['registeredAddress', 'HQ address'],
    ];
    expect([...parseMap(['companyName=Name,registeredAddress=HQ address'])]).toEqual(expected);
    expect([...parseMap(['companyName=Name', 'registeredAddress="HQ address"'])]).toEqual(expected);
  });

  it('takes a column whose name holds a comma or an equals sign', () => {
    expect([...parseMap(['email="E-mail, main",phone=a=b'])]).toEqual([
      ['email', 'E-mail, main'],
      ['phone', 'a=b'],
    ]);
  });

  it('takes a constant as it is, commas and all', () => {
    expect([...parseSet(['servicesUsed=web, mail'])]).toEqual([['servicesUsed', 'web, mail']]);
  });

  it('refuses what is no assignment, and an attribute given twice', () => {
    expect(() => parseMap(['companyName'])).toThrow(
      '--map needs attribute=column, but "companyName" is not of that form',
    );
    expect(() => parseSet(['=x'])).toThrow('--set needs attribute=value');
    expect(() => parseMap(['email=A,email=B'])).toThrow('--map names the attribute "email" twice');
  });
});
