import fc from 'fast-check'

/** What Node.js lets a client write into a request line or a header. */
export const printable = fc
  .integer({ min: 0x21, max: 0xff })
  .filter((code) => code < 0x7f || code > 0xa0)
  .map((code) => String.fromCharCode(code))

export const headerValue = fc.string({ unit: printable, maxLength: 200 })

const oneHeader = fc.oneof(
  fc.tuple(
    fc.constant('accept'),
    fc.oneof(
      fc.constantFrom(
        'application/json',
        'image/png',
        'image/svg+xml',
        'text/plain',
        'image/jpeg',
        '*/*',
        '',
        'q=;,,/',
        'image/png;q=0',
      ),
      headerValue,
    ),
  ),
  fc.tuple(
    fc.constantFrom(
      'user-agent',
      'origin',
      'cookie',
      'accept-language',
      'x-request-id',
      'if-none-match',
      'range',
    ),
    headerValue,
  ),
  fc.tuple(
    fc.constantFrom('x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-proto'),
    fc.oneof(fc.ipV4(), fc.ipV6(), headerValue),
  ),
  fc.constantFrom<[string, string]>(
    ['content-encoding', 'gzip'],
    ['content-encoding', 'identity'],
    ['x-http-method-override', 'DELETE'],
    ['expect', 'the unexpected'],
    ['upgrade', 'h2c'],
    ['te', 'trailers'],
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['authorization', 'Basic YWRhOmFkYQ=='],
    ['authorization', 'Bearer'],
    ['origin', 'null'],
    ['access-control-request-method', 'DELETE'],
  ),
  fc.tuple(fc.stringMatching(/^x-[a-z0-9!#$%&'*+.^_`|~-]{1,40}$/), headerValue),
)
/** Headers beside those that a request cannot do without. */
export const headers: fc.Arbitrary<[string, string][]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<[string, string][]>([]) },
  { weight: 2, arbitrary: fc.array(oneHeader, { maxLength: 5 }) },
)
