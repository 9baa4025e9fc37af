// What was compiled at the last start is not compiled again. Plain JavaScript and loaded before everything else: what
// strips types takes 18 MiB, and is not needed for files whose result is in the cache. It is kept beside the code, where
// nobody can write who cannot change the code; where it cannot be written, as in the image, it is left out.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/keyturn', import.meta.url)))
