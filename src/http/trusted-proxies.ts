import { BlockList, isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** Whether an address is that of a proxy that is trusted to name its clients. */
export type IsTrustedProxy = (address: string) => boolean

/** @param ranges addresses and CIDR ranges of `TRUST_PROXY`, already checked. */
export function trustedProxies(ranges: readonly string[]): IsTrustedProxy {
  const trusted = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = familyOf(address)
    if (family && prefix !== undefined) trusted.addSubnet(address, Number(prefix), family)
    else if (family) trusted.addAddress(address, family)
  }
  return (address) => {
    const family = familyOf(address)
    return family !== null && trusted.check(address, family)
  }
}

/** `203.0.113.1:4711`, `[2001:db8::1]:4711` and `[2001:db8::1]`. */
const WITH_PORT = /(?<![^\s,])(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([\da-f:.]+)\](?::\d+)?)(?![^\s,])/gi

/** Some proxies also name the port of a client: each of its connections would count as another address. */
export function forgetPorts({ raw: { headers } }: FastifyRequest): void {
  const forwardedFor = headers['x-forwarded-for']
  if (typeof forwardedFor === 'string')
    headers['x-forwarded-for'] = forwardedFor.replace(WITH_PORT, (_all, ipv4, ipv6) => ipv4 ?? ipv6)
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address)
  return version === 0 ? null : `ipv${version as 4 | 6}`
}
