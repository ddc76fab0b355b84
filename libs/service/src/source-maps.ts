import { setSourceMapsSupport } from 'node:module';

// Loaded before a service (node's `--import`), so that stack traces name our own sources. With `--enable-source-maps` node keeps
// the maps of all libraries too: some 25 MiB a service, for lines that nobody here reads.
setSourceMapsSupport(true, { nodeModules: false });
