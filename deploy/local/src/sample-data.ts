/** The sample that `npm start` loads: all invented, and example domains only. */

interface Company {
  readonly attributes: Readonly<Record<string, string>>;
  /** What this customer permits, as `recipient purpose`. */
  readonly permits: readonly string[];
}

const company = (
  companyName: string,
  registeredAddress: string,
  servicesUsed: string,
  [contactName, mailbox]: readonly [string, string],
  permits: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Company => {
  const domain = `${companyName.split(' ')[0]?.toLowerCase()}.example`;
  const attributes = {
    companyName,
    registeredAddress,
    servicesUsed,
    domainNames: domain,
    contactName,
    email: `${mailbox}@${domain}`,
    ...more,
  };
  return { attributes, permits };
};

const BOOKS = 'clearbook invoicing';
const OFFERS = 'clearbook recommendation';
const OURS = 'recommendations recommendation';

export const COMPANIES: readonly Company[] = [
  company(
    'Acorn Bakery Ltd',
    '1 Oak Street\nSpringfield',
    'web hosting',
    ['The office', 'office'],
    [BOOKS, OFFERS, OURS],
    {
      vatNumber: 'XX100200301',
    },
  ),
  company(
    'Brightwater Sailing Club',
    '22 Quay Road\nPort Merrow',
    'web hosting\nmailboxes',
    ['The secretary', 'secretary'],
    [BOOKS],
  ),
  company(
    'Cobalt Engineering GmbH',
    'Werkstrasse 7\n01234 Altstadt',
    'dedicated server',
    ['Purchasing', 'purchasing'],
    [OURS],
    {
      phone: '+49 555 0100',
    },
  ),
  company('Dunmore Books', '8 Mill Lane\nDunmore', 'web hosting', ['The shop', 'shop'], [BOOKS, OURS]),
  company('Everlight Studio', '310 Harbour Walk\nEastmere', 'virtual server', ['The studio', 'studio'], [OFFERS]),
  company('Fernhill Dairy', 'Fernhill Farm\nGreendale', 'mailboxes', ['The farm office', 'farm'], []),
  company(
    'Granite Legal LLP',
    '4 Temple Row\nKingsford',
    'dedicated server\nbackup',
    ['Reception', 'reception'],
    [BOOKS],
    {
      vatNumber: 'XX100200307',
      phone: '+44 555 0107',
    },
  ),
  company(
    'Harbourview Hotel',
    '1 Promenade\nPort Merrow',
    'web hosting\nbooking mail',
    ['Accounts', 'accounts'],
    [BOOKS, OFFERS],
  ),
  company('Ironbridge Cycles', '17 Bridge Street\nIronford', 'virtual server', ['The workshop', 'workshop'], [OURS]),
  company('Juniper Clinic', '5 Park View\nSpringfield', 'mailboxes\nbackup', ['The front desk', 'desk'], []),
  company(
    'Kestrel Robotics',
    '99 Foundry Way\nIronford',
    'dedicated server\nprivate network',
    ['The control room', 'control'],
    [BOOKS, OURS],
  ),
  company('Larkspur Travel', '12 Station Road\nEastmere', 'web hosting', ['Bookings', 'bookings'], [OFFERS, OURS]),
];

export interface SamplePartner {
  readonly slug: string;
  readonly name: string;
  readonly kind: string;
}

/** One that runs services with us, one that customers may choose, and one that has signed nothing and so gets nothing. */
export const PARTNERS: readonly SamplePartner[] = [
  { slug: 'northwind-network', name: 'Northwind Network', kind: 'network-member' },
  { slug: 'clearbook', name: 'Clearbook Accounting', kind: 'third-party' },
  { slug: 'loudhailer', name: 'Loudhailer Media', kind: 'third-party' },
];

export interface SampleAgreement {
  readonly recipient: string;
  readonly highestTier: string;
  readonly purposes: readonly { purpose: string; attributes: readonly string[]; ground: string }[];
}

export const AGREEMENTS: readonly SampleAgreement[] = [
  {
    recipient: 'northwind-network',
    highestTier: 'confidential',
    purposes: [
      {
        purpose: 'service-delivery',
        attributes: ['companyName', 'servicesUsed', 'domainNames', 'contactName'],
        ground: 'cooperation',
      },
    ],
  },
  {
    recipient: 'clearbook',
    highestTier: 'confidential',
    purposes: [
      { purpose: 'invoicing', attributes: ['companyName', 'registeredAddress', 'vatNumber'], ground: 'permission' },
      { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    ],
  },
];
