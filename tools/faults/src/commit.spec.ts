import { expect, it } from 'vitest';
import { commitHere } from './commit.js';

const git =
  (status: string) =>
  (...[command]: string[]) =>
    command === 'status' ? status : 'abc1234';

it('a run is of a commit, and of what was changed since', () => {
  expect(commitHere(git(''))).toBe('abc1234');
  expect(commitHere(git(' M apps/x.ts'))).toBe('abc1234+changes');
  const none = () => {
    throw new Error('no git');
  };
  expect(commitHere(none)).toBe('unknown');
});
