import { connect } from '@castiron/kafka';
import { readSettings } from './config.js';
import { createPage, isLoopback } from './page.js';
import { Reader } from './reader.js';
import { RecommendationsView } from './recommendations-view.js';

const settings = readSettings();
if (!isLoopback(settings.host))
  throw new Error('Bad settings: this sample shows customers to whoever asks, so CASTIRON_HOST must be this machine');

const log = (fact: Readonly<Record<string, unknown>>): void =>
  console.log(JSON.stringify({ level: 'info', time: new Date().toISOString(), service: 'recommendations', ...fact }));

const view = new RecommendationsView();
const reader = new Reader({
  kafka: connect(settings.kafka),
  view,
  log,
  onCrash: (error) => {
    log({ level: 'fatal', msg: 'reading crashed', error: error.name });
    process.exit(1);
  },
});
const page = createPage(
  () => view.list(),
  () => reader.healthy(),
);

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  page.close();
  page.closeAllConnections();
  await reader.stop();
  process.exit(0);
}
process.on('SIGTERM', () => void stop()).on('SIGINT', () => void stop());

await reader.start();
page.listen(settings.port, settings.host, () => {
  const address = page.address();
  const port = typeof address === 'object' ? address?.port : settings.port;
  log({ msg: 'listening', url: `http://${settings.host}:${port}` });
});
