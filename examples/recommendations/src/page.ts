import { createServer, type Server } from 'node:http';
import type { Recommendation } from './recommendations-view.js';

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A page that loads itself again, so that one sees a customer disappear. */
export function pageOf(recommendations: readonly Recommendation[]): string {
  const rows = recommendations.map(
    ({ companyName, recommended }) =>
      `<tr><td>${escaped(companyName)}</td><td>${escaped(recommended.join(', ') || '-')}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>Recommendations</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem } td, th { text-align: left; padding: .2rem 2rem .2rem 0 }</style></head>
<body><h1>Who may be recommended what: ${rows.length}</h1>
<table><tr><th>Customer</th><th>Recommended</th></tr>
${rows.join('\n')}
</table></body></html>
`;
}

const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'recommendations',
    version: '1',
    description: 'A sample consumer. For this machine only: it asks nobody who they are.',
  },
  paths: {
    '/': { get: { summary: 'The list as a page', responses: { 200: { description: 'HTML' } } } },
    '/customers': { get: { summary: 'The list', responses: { 200: { description: 'JSON' } } } },
    '/health/live': { get: { responses: { 200: { description: 'The process lives' } } } },
    '/health/ready': {
      get: { responses: { 200: { description: 'It reads' }, 503: { description: 'It does not read' } } },
    },
  },
};

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1']);

/** Serves the view on this machine only: whoever can reach it sees it. */
export function createPage(list: () => readonly Recommendation[], healthy: () => boolean): Server {
  return createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, {
        'content-type': `${type}; charset=utf-8`,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(body);
    };
    const json = (status: number, body: unknown): void => answer(status, 'application/json', JSON.stringify(body));
    // A page elsewhere whose name was pointed at this machine would otherwise read along.
    const host = /^\[?([^\]]*?)\]?(?::\d+)?$/.exec(request.headers.host ?? '')?.[1] ?? '';
    if (!LOOPBACK.has(host)) return json(403, { title: 'This page is for this machine only', status: 403 });
    const routes = new Map([
      ['/', () => answer(200, 'text/html', pageOf(list()))],
      ['/customers', () => json(200, { customers: list() })],
      ['/health/live', () => json(200, { ok: true })],
      ['/health/ready', () => json(healthy() ? 200 : 503, { ok: healthy() })],
      ['/openapi', () => json(200, OPENAPI)],
      ['/openapi.json', () => json(200, OPENAPI)],
    ]);
    const route = routes.get(request.url ?? '');
    if (route === undefined) return json(404, { title: 'Not found', status: 404, code: 'no-such-route' });
    if (request.method !== 'GET') return json(405, { title: 'Method not allowed', status: 405 });
    route();
  });
}

/** Refuses to listen where others could reach it. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host);
}
