/** What goes well with what; an invented rule, to have something to show. */
const GOES_WITH: readonly (readonly [used: RegExp, recommended: string])[] = [
  [/dedicated server/i, 'off-site backup'],
  [/virtual server/i, 'dedicated server'],
  [/web hosting/i, 'mailboxes'],
  [/mail/i, 'spam filter'],
];

/** Services to recommend to who uses these. */
export function recommend(servicesUsed: string): string[] {
  return GOES_WITH.filter(([used, recommended]) => used.test(servicesUsed) && !servicesUsed.includes(recommended)).map(
    ([, recommended]) => recommended,
  );
}
