import { registerHooks } from 'node:module';

// Loaded with `node --import <this>?without=ledger` before the service: it discloses as ever, and nothing of it gets into the
// ledger. There are no commitments, no leaves and no entries, so that nothing is announced, taken into the tree or signed either.
// With `?without=announcements` entries are made and signed as ever, and not announced on their topic.

const OPENING = 'A'.repeat(43);

const WITHOUT_LEDGER: Readonly<Record<string, string>> = {
  '/libs/ledger/dist/entry.js': `
    export const MAX_LEAF_BYTES = 65536;
    export function composeEntry(draft) {
      const names = Object.keys(draft.attributes);
      const { id, kind, recipient, recordId, agreement } = draft;
      return {
        leaf: { v: 1, id, kind, at: draft.at.toISOString(), recipient, recordId, version: String(draft.version), agreement, attributes: [] },
        bytes: Buffer.alloc(0),
        leafHash: Buffer.alloc(0),
        openings: { subject: '${OPENING}', attributes: Object.fromEntries(names.map((name) => [name, '${OPENING}'])) },
      };
    }`,
  '/apps/partner-sharing/dist/ledger/append-entries.js': `
    let size = 0n;
    export const appendEntries = async (manager, entries) =>
      entries.map(({ leaf, leafHash }) => ({ id: leaf.id, index: size++, leafHash }));`,
  '/apps/partner-sharing/dist/release/share-entry.table.js': `
    export const keepShareEntries = async () => undefined;`,
};

const WITHOUT_ANNOUNCEMENTS: Readonly<Record<string, string>> = {
  '/apps/partner-sharing/dist/ledger-announcements/disclosure-announcer.js': `
    export const announceDisclosures = async () => false;`,
};

const without = new URL(import.meta.url).searchParams.get('without');
const replaced = Object.entries(without === 'ledger' ? WITHOUT_LEDGER : WITHOUT_ANNOUNCEMENTS);

registerHooks({
  load(url, context, nextLoad) {
    const instead = replaced.find(([file]) => url.endsWith(file));
    return instead === undefined
      ? nextLoad(url, context)
      : { format: 'module', source: instead[1], shortCircuit: true };
  },
});
