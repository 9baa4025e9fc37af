import t from 'tap'
import { isNumericCode, typedCode } from '../../src/crypto/codes.ts'

t.test('a code is read as people type and paste it', async (t) => {
  for (const text of [
    '492039',
    ' 492 039\n',
    '492\u2009039',
    '492–039',
    '492\u2011039',
    '492\u2212039',
    '\u200e492\u200b039\u200f',
    '\ufeff492039',
    '٤٩٢٠٣٩',
    '۴۹۲۰۳۹',
    '４９２０３９',
    '४९२०३९',
    '\u{1d7d2}\u{1d7d7}\u{1d7d0}\u{1d7ce}\u{1d7d1}\u{1d7d7}',
    '\u{1d7fa}\u{1d7ff}\u{1d7f8}\u{1d7f6}\u{1d7f9}\u{1d7ff}',
    '4٩２०3۹',
  ])
    t.equal(typedCode(text), '492039', JSON.stringify(text))
})

t.test('what has not six digits then is no code', async (t) => {
  for (const text of [
    '',
    '49203',
    '4920391',
    '49203a',
    '49203²',
    '49203½',
    '492.039',
    '①②③④⑤⑥',
    '四九二〇三九',
  ])
    t.notOk(isNumericCode(text), JSON.stringify(text))
})

t.test('each digit of each script has its value', async (t) => {
  let digits = 0
  for (let point = 0; point < 0x110000; point += 1) {
    const character = String.fromCodePoint(point)
    if (!/\p{Nd}/u.test(character)) continue
    digits += 1
    if (typedCode(character) !== String((digits - 1) % 10)) t.fail(point.toString(16))
  }
  t.ok(digits > 600, `${digits} digits, ten for each script in order`)
})
