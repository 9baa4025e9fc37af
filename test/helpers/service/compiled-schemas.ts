import { createRequire } from 'node:module'

/**
 * Lets all services of a process share what is compiled of the schemas of routes, which are the same for each of them:
 * that was 60 of the 100 ms that a service took to start. Imported for its effect, before the first is built.
 */

type Compile = (route: { schema: object }) => unknown

const require = createRequire(createRequire(import.meta.url).resolve('fastify'))

// Of requests: the product has one compiler for all services.
const {
  prototype,
}: {
  prototype: { buildValidatorFunction: Compile }
} = require('@fastify/ajv-compiler/lib/validator-compiler.js')
const { buildValidatorFunction } = prototype
const validators = new WeakMap<object, Compile>()
prototype.buildValidatorFunction = function compileOnce(route) {
  const compile = validators.get(this) ?? remembering((route) => buildValidatorFunction.call(this, route))
  validators.set(this, compile)
  return compile(route)
}

// Of answers: each service has compilers of its own.
const name = '@fastify/fast-json-stringify-compiler'
const {
  SerializerSelector,
}: { SerializerSelector: () => (...configuration: unknown[]) => Compile } = require(name)
const build = SerializerSelector()
const serializers = new Map<string, Compile>()
const loaded = require.cache[require.resolve(name)]
if (loaded) {
  const selector =
    () =>
    (...configuration: unknown[]) => {
      const key = JSON.stringify(configuration)
      const compile = serializers.get(key) ?? remembering(build(...configuration))
      serializers.set(key, compile)
      return compile
    }
  // Both names: a host of the plugin asks for the first, and the service for the second.
  loaded.exports = Object.assign(selector, { SerializerSelector: selector })
}

/** Compiles each schema once. */
function remembering(compile: Compile): Compile {
  const compiled = new Map<string, unknown>()
  return (route) => {
    const key = JSON.stringify(route.schema)
    if (!compiled.has(key)) compiled.set(key, compile(route))
    return compiled.get(key)
  }
}
