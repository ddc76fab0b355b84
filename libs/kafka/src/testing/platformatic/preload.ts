import { registerHooks } from 'node:module';

// Loaded with `node --import <this>`, before a compiled service or tool: it then talks to Kafka by the other client, and
// nothing in the tree is touched.
registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith('/libs/kafka/dist/connect.js')) return nextLoad(url, context);
    process.stderr.write('talks to Kafka by @platformatic/kafka\n');
    const source = `export { connect } from './testing/platformatic/connect.js';`;
    return { format: 'module', shortCircuit: true, source };
  },
});
