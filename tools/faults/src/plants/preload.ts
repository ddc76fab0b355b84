import { registerHooks } from 'node:module';
import { FENCE_PLANTS } from '../fence/plants.js';
import { edited, placeOf, plantedIn, PLANTS, type Plant } from './plants.js';

// Loaded with `node --import <this>?plant=NAME`, before a service: nothing in the tree is touched.
const name = new URL(import.meta.url).searchParams.get('plant') ?? '';
const plants: Readonly<Record<string, Pick<Plant, 'edits'>>> = { ...PLANTS, ...FENCE_PLANTS };
const plant = plants[name];
if (plant === undefined) throw new Error(`there is no bug ${name} to plant`);

const compiled = (file: string): string => `/${placeOf(file, 'dist')}.js`;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const edits = plant.edits.filter(({ file }) => url.endsWith(compiled(file)));
    const [first] = edits;
    if (first === undefined) return loaded;
    // The replica's log is where the rig looks whether it came to pass.
    console.log(plantedIn(first.file));
    const source = Buffer.from((loaded.source ?? '') as Uint8Array).toString();
    return { ...loaded, source: edits.reduce(edited, source) };
  },
});
