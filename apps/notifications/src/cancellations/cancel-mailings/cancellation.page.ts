const page = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem; }
button { font: inherit; padding: .6rem 1.2rem; }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;

/** Asks first: links are fetched by scanners, and a fetch must change nothing. Posts to its own address. */
export const ASKING_PAGE = page(
  'Stop e-mail about products and events',
  `<p>This stops such e-mail from us and from our partners. Notices that we owe you will still come.</p>
<form method="post"><button name="List-Unsubscribe" value="One-Click">Stop it</button></form>`,
);

export const DONE_PAGE = page(
  'Stopped',
  '<p>We send you no more e-mail about products and events, and our partners are being told to do the same.</p>',
);

/** For pages that take a secret link: no scripts, no frames, no referrer, no copies. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;
