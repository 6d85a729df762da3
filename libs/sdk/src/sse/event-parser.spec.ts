import { describe, expect, it } from 'vitest';
import { EventParser, type ServerSentEvent } from './event-parser.ts';

const encoder = new TextEncoder();

function parse(...pieces: (string | Uint8Array)[]): ServerSentEvent[] {
  const parser = new EventParser();
  return pieces.flatMap((piece) => [
    ...parser.push(typeof piece === 'string' ? encoder.encode(piece) : piece),
  ]);
}

describe('EventParser', () => {
  it('reads ids, names and data', () => {
    expect(parse('id: 5\nevent: log\ndata: {"a":1}\n\n')).toEqual([
      { id: '5', event: 'log', data: '{"a":1}' },
    ]);
  });

  it('joins the lines of multi-line data', () => {
    expect(parse('data: one\ndata:two\ndata:  three\n\n')[0]?.data).toBe('one\ntwo\n three');
  });

  it('passes over comments, unknown fields and events without data', () => {
    expect(parse(': keep-alive\n\nretry: 5\nwhat: ever\n\nid: 1\n\ndata: x\n\n')).toEqual([
      { id: undefined, event: 'message', data: 'x' },
    ]);
  });

  it('holds back an event that is not complete', () => {
    expect(parse('data: x\n')).toEqual([]);
  });

  const stream =
    '\ufeffid: 1\r\nevent: log\r\ndata: héllo – 🫐\r\n\r\n: c\rdata: second\rid: 2\r\rdata: a\ndata: b\n\n';
  const expected = [
    { id: '1', event: 'log', data: 'héllo – 🫐' },
    { id: '2', event: 'message', data: 'second' },
    { id: undefined, event: 'message', data: 'a\nb' },
  ];

  it('reads the same wherever the bytes are cut, characters and CRLF included', () => {
    const bytes = encoder.encode(stream);
    for (let first = 0; first <= bytes.length; first += 1) {
      const cut = [bytes.subarray(0, first), bytes.subarray(first)];
      expect(parse(...cut), `cut at ${first}`).toEqual(expected);
    }
    expect(parse(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
  });
});
