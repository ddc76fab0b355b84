/** What keeps a promise of the statement today, and what of it nothing keeps yet. */
export interface Kept {
  /** Clauses of the decision (apps/partner-sharing/src/confidentiality/clauses), without the ending. */
  readonly clauses?: readonly string[];
  /** Test files, each with the tests in it that show the promise. */
  readonly tests?: Readonly<Record<string, readonly string[]>>;
  /** The part that is not built yet; a promise with neither clause nor test has nothing else. */
  readonly notYet?: string;
}

const GRANT = 'test/flows/grant-to-withdrawal.flow.spec.ts';
const DOORS = 'test/flows/doors.flow.spec.ts';
const MAIL = 'test/flows/mail.flow.spec.ts';
const BAD_INPUT = 'test/flows/bad-input.flow.spec.ts';
const IMPORT = 'test/flows/import.flow.spec.ts';
const G4 = 'test/guarantees/g04-erasure-reaches-everything.spec.ts';
const G1 = 'test/guarantees/g01-default-deny.spec.ts';
const G2 = 'test/guarantees/g02-revocation-fence.spec.ts';
const G3 = 'test/guarantees/g03-the-ledger-tells-all.spec.ts';
const G7 = 'test/guarantees/g07-recipients-are-walled-off.spec.ts';

/**
 * The privacy statement's promises (P1 to P18), each with what shows that it is kept. `promises.spec.ts` checks the map
 * both ways: all that is named here exists and runs, and every clause, flow and guarantee stands here.
 */
export const PROMISES: Readonly<Record<`P${number}`, Kept>> = {
  P1: {
    clauses: ['p01-only-what-the-customer-gave', 'p01-only-what-the-purpose-needs'],
    tests: {
      'libs/contracts/src/catalogue.spec.ts': [
        'asks for exactly company name, services used and registered address to write an invoice',
      ],
      [DOORS]: ['names the compulsory attribute that is missing, and the promise'],
      [BAD_INPUT]: ['names an unknown purpose and an attribute that the purpose does not need'],
    },
    notYet: 'nothing deletes data when its retention ends',
  },
  P2: {
    clauses: ['p02-recommendation-only-when-permitted'],
    tests: { [GRANT]: ['puts exactly the permitted attributes on the feed once the customer permits'] },
  },
  P3: { notYet: 'the purpose security exists; disputes, abuse cases and legal holds do not' },
  P4: {
    clauses: ['p04-cooperation-only-inside-the-network'],
    tests: {
      [G1]: ['gives a network member what it needs to render services, by cooperation and without a permission'],
    },
  },
  P5: { notYet: 'feedback, named and anonymous' },
  P6: { notYet: 'invoice-data view, verifications, mistake reports and rectification' },
  P7: {
    clauses: ['p07-no-tier-above-the-agreement'],
    tests: {
      [G1]: ['keeps back an attribute above the highest tier of the agreement'],
      [BAD_INPUT]: ['lets nobody in without a token, and no customer to another'],
    },
    notYet: "staff's undertakings, and a record of each of their reads",
  },
  P8: {
    clauses: [
      'p08-nothing-of-an-erased-customer',
      'p08-nothing-without-permission',
      'p08-only-to-companies-that-agreed',
      'p08-only-what-the-agreement-lists',
      'p08-only-what-the-registration-lists',
    ],
    tests: {
      [GRANT]: [
        'withdraws when the permission is revoked, and sends nothing after it',
        'sends nothing to a recipient without an agreement',
        'keeps what one purpose allows when another is revoked',
        'withdraws from all customers when the agreement is terminated',
      ],
      [G2]: ['leaves no later offset with the revoked purpose, under changes that race with the revocation'],
      [G7]: ['lets a partner read its own feed and no other topic'],
      [G4]: ['takes what a customer withdraws, and then all of them, from the feed before it says that it is done'],
    },
    notYet: 'the fence where a broker that is alone is killed in a commit',
  },
  P9: { notYet: "authority requests, their approval by two persons, and the customer's notice" },
  P10: {
    clauses: ['p10-own-purposes-only-inside-the-house'],
    tests: {
      [G3]: [
        'has one entry for every record, which opens its commitments, and a record for every released entry',
        'is compared with the feeds: a record that somebody puts there without an entry becomes an incident that staff see',
      ],
    },
  },
  P11: { notYet: 'the service site-visits' },
  P12: {
    clauses: ['p12-only-for-purposes-of-the-door'],
    tests: {
      'libs/contracts/src/catalogue.spec.ts': ['gives each door its own purposes (P12)'],
      [DOORS]: ['makes an applicant who orders a service a new customer, and carries nothing over'],
      [IMPORT]: ['brings the permitted value to the partner unchanged, and each permission once'],
    },
  },
  P13: {
    clauses: ['p13-cooperation-only-as-agreed', 'p13-no-cooperation-against-an-objection'],
    tests: {
      [G1]: ['never takes cooperation as a ground for a third party'],
      'apps/partner-sharing/src/objections/objections.int.spec.ts': [
        'ends what goes by it, and its withdrawal lets it go on',
      ],
    },
    notYet: 'the grounds company-amendment and dispute-or-abuse',
  },
  P14: { notYet: 'events and their co-sponsors' },
  P15: { notYet: 'the notice before outbound links' },
  P16: {
    clauses: ['p16-mail-only-when-permitted'],
    tests: {
      [DOORS]: ['records a subscription as the permission to mail'],
      [MAIL]: ['stops mailings, and not notices, by the link in a mailing'],
    },
    notYet: 'telling every partner that holds the address to stop, and tracking its acknowledgement',
  },
  P17: { notYet: 'announcing a new version of the statement before it takes effect; version 1 is loaded' },
  P18: { notYet: 'a contact in every page; questions tracked until answered' },
};
