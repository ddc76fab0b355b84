import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, signCheckpoint } from './checkpoint.js';
import { noteSigner, noteVerifier } from './note-keys.js';
import { NoteRefused, openNote, signNote } from './signed-note.js';

const ORIGIN = 'castiron.example/ledger';
const signer = noteSigner(ORIGIN, randomBytes(32));
const verifier = noteVerifier(signer.verifierKey);
const stranger = noteSigner('stranger.example', randomBytes(32));
const opened = (note: string) => openNote(Buffer.from(note), verifier);
const lineOf = (note: string): string => note.slice(note.lastIndexOf('\n\n') + 2);

describe('a signed note', () => {
  it('of the C2SP document is verified', () => {
    const example = noteVerifier('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
    const note =
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
    expect(openNote(Buffer.from(note), example)).toBe('This is an example message.\n');
    expect(() => openNote(Buffer.from(note.replace('example m', 'example  m')), example)).toThrow(NoteRefused);
  });

  it('gives the text that was signed, empty lines and all', () => {
    const text = 'first\n\nthird: Müller "€" 😀\n';
    expect(opened(signNote(text, signer))).toBe(text);
  });

  it('may bear other signatures beside', () => {
    const text = 'text\n';
    const both = signNote(text, stranger) + lineOf(signNote(text, signer));
    expect(opened(both)).toBe(text);
    const sameName = noteSigner(ORIGIN, randomBytes(32));
    expect(opened(signNote(text, sameName) + lineOf(signNote(text, signer)))).toBe(text);
  });

  const note = signNote('text\n', signer);
  it.each([
    ['of nobody known', signNote('text\n', stranger), /bears no signature/],
    ['whose text was changed', note.replace('text', 'tixt'), /not over this text/],
    ['with a true and a false signature of one key', note + lineOf(signNote('other\n', signer)), /not over this text/],
    ['without signatures', 'text\n\n', /no signature/],
    ['without an empty line', 'text\n', /an empty line/],
    ['that does not end', note.slice(0, -1), /an empty line/],
    ['with a line that is no signature', `${note}— x\n`, /is no signature/],
    ['with a signature in other letters', note.replace('=\n', '\n'), /is no signature/],
    ['with a control character', note.replace('text', 'te\txt'), /control characters/],
    ['too large', `${'x'.repeat(131_072)}${note}`, /at most/],
    ['of nothing', '', /an empty line/],
  ])('%s is refused', (_what, bad, problem) => {
    expect(() => opened(bad)).toThrow(NoteRefused);
    expect(() => opened(bad)).toThrow(problem);
  });

  it('that is no UTF-8 is refused', () => {
    expect(() => openNote(Buffer.concat([Buffer.of(0xff), Buffer.from(note)]), verifier)).toThrow(/UTF-8/);
  });

  it.each(['', 'text', 'a\tb\n', '\ud800\n'])('is not made of %j', (text) => {
    expect(() => signNote(text, signer)).toThrow(TypeError);
  });
});

describe('a key of notes', () => {
  it.each(['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u0000b'])('is not called %j', (name) => {
    expect(() => noteSigner(name, randomBytes(32))).toThrow(/the name of a key/);
  });

  it('has 32 bytes', () => {
    expect(() => noteSigner(ORIGIN, randomBytes(31))).toThrow(RangeError);
  });

  it.each([
    ['of nothing', ''],
    ['of another type', signer.verifierKey.replace(/[^+]*$/, (key) => `BB${key.slice(2)}`)],
    ['that is too short', signer.verifierKey.slice(0, -4)],
    ['with the id of another', signer.verifierKey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    ['with the name of another', `x${signer.verifierKey}`],
  ])('%s is refused', (_what, text) => {
    expect(() => noteVerifier(text)).toThrow(TypeError);
  });
});

describe('a checkpoint', () => {
  const head = { size: 20_852_163, root: Buffer.alloc(32, 7) };

  it('is origin, size and root, signed', () => {
    const note = signCheckpoint(head, signer);
    expect(note.split('\n').slice(0, 4)).toEqual([ORIGIN, '20852163', head.root.toString('base64'), '']);
    expect(openCheckpoint(Buffer.from(note), verifier)).toEqual(head);
  });

  const root = head.root.toString('base64');
  it.each([
    ['of another log', `other.example\n5\n${root}\n`],
    ['with leading zeros', `${ORIGIN}\n05\n${root}\n`],
    ['without a size', `${ORIGIN}\n\n${root}\n`],
    ['of a size that cannot be counted', `${ORIGIN}\n9007199254740992\n${root}\n`],
    ['of a negative size', `${ORIGIN}\n-1\n${root}\n`],
    ['with half a root', `${ORIGIN}\n5\n${root.slice(0, 20)}\n`],
    ['without a root', `${ORIGIN}\n5\n`],
  ])('%s is refused though it is signed', (_what, text) => {
    expect(() => openCheckpoint(Buffer.from(signNote(text, signer)), verifier)).toThrow(NoteRefused);
  });

  it('may have lines behind the root', () => {
    const note = signNote(`${ORIGIN}\n5\n${root}\nmore\n`, signer);
    expect(openCheckpoint(Buffer.from(note), verifier)).toEqual({ ...head, size: 5 });
  });
});
