import { registerHooks } from 'node:module';
import { edited, plantedIn, PLANTS, type Plant } from './plants.js';

// Loaded with `node --import <this>?plant=NAME`, before a service: nothing in the tree is touched.
const name = new URL(import.meta.url).searchParams.get('plant') ?? '';
const plant = (PLANTS as Readonly<Record<string, Plant>>)[name];
if (plant === undefined) throw new Error(`there is no bug ${name} to plant`);

const compiled = (file: string): string => `/${file.replace(/\/([^/]+)$/, '/dist/$1.js')}`;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const edit = plant.edits.find(({ file }) => url.endsWith(compiled(file)));
    if (edit === undefined) return loaded;
    // The replica's log is where the rig looks whether it came to pass.
    console.log(plantedIn(edit.file));
    return { ...loaded, source: edited(Buffer.from((loaded.source ?? '') as Uint8Array).toString(), edit) };
  },
});
