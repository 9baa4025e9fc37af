import { BlockList, isIP } from 'node:net'

/** Whether an address is that of a proxy whose word about its clients is believed. */
export type IsTrustedProxy = (address: string) => boolean

/** @param ranges addresses and CIDR ranges, as `TRUST_PROXY` has them once they are checked. */
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

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address)
  return version === 0 ? null : `ipv${version as 4 | 6}`
}
