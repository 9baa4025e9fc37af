import fc from 'fast-check'
import type { Content } from './bodies.ts'

/** Names of members that objects are born with, or that nobody can write. */
export const hostileName = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'toJSON',
    'then',
    '$ref',
    'id',
    '',
    'a/b~c',
    '\ud800',
    '\u0000',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

const deep = (open: string, close: string) => (depth: number) =>
  `${open.repeat(depth)}1${close.repeat(depth)}`

/** JSON text of values that nobody expects. */
export const hostileValue: fc.Arbitrary<string> = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '1e400',
    '-1e400',
    '-0',
    '1e-400',
    '9'.repeat(400),
    '0.1',
    '2147483648',
    '9007199254740993',
    'null',
    'true',
    '[]',
    '{}',
    '""',
  ),
  fc.constantFrom(
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u0000"',
    '"\\ufeff"',
    '"\\u202e"',
    '"\\u212a"',
    '"%s%d{{7*7}}<%= 7*7 %>"',
    '"\' or 1=1--"',
    '"a\\r\\nBcc: x@example.com"',
  ),
  fc.constantFrom(
    '{"__proto__":{"admin":true}}',
    '{"constructor":{"prototype":{}}}',
    '{"toString":1}',
    '{"length":9}',
    '[["a"]]',
    'NaN',
    'undefined',
    '01',
    "'a'",
  ),
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => JSON.stringify(text)),
  fc.nat(4000).map((length) => JSON.stringify('x'.repeat(length))),
  fc.nat(3000).map(deep('[', ']')),
  fc.nat(2000).map(deep('{"a":', '}')),
)

/** Bodies that are no object of the form that anybody asked for. */
export const hostileContent: fc.Arbitrary<Content> = fc.oneof(
  hostileValue,
  fc.array(fc.tuple(hostileName, hostileValue), { maxLength: 8 }),
  fc.uint8Array({ maxLength: 200 }),
  fc.nat(900).map((width) => `{${Array.from({ length: width }, (_, index) => `"k${index}":0`)}}`),
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom('', '{', '[', '{}{}', ' '.repeat(16_385), '\ufeff{}', '{"username":"ada"'),
  fc.webQueryParameters(),
)
