import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net'

/**
 * The network of an address: what one customer has of IPv4 addresses that change (a /24), and of IPv6 addresses (a
 * /48, RFC 6177 section 2). Guesses are counted by it, and a repeat is told from a thief by it. An IPv4-mapped address
 * (RFC 4291 section 2.5.5.2) is the IPv4 address.
 *
 * @param ip empty for an operator, who is in no network.
 */
export function networkOf(ip: string): string {
  if (!isIPv6(ip)) return ipv4Network(ip)
  const { address } = new SocketAddress({ address: ip, family: 'ipv6' })
  const [, mapped] = /^::ffff:([\d.]+)$/.exec(address) ?? []
  return mapped ? ipv4Network(mapped) : ipv6Network(address)
}

/**
 * The network of an address, and before it the larger one around it: a /16 of IPv4; of IPv6 the /32 that a provider has
 * (RFC 6177 gives its customers a /48). Who has many networks rarely has them in many of the larger ones.
 */
export function networksOf(ip: string): [larger: string, network: string] {
  const network = networkOf(ip)
  return [network.split(/[.:]/, 2).join(), network]
}

function ipv4Network(ip: string): string {
  return ip.replace(/\.\d+$/, '.0/24')
}

/** The first three of eight groups. `::` stands for all missing groups. */
function ipv6Network(address: string): string {
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return `${[...head, ...zeros, ...tail].slice(0, 3).join(':')}::/48`
}

/** A range of all addresses, or of all IPv4 addresses as IPv6 spells them (RFC 4291 section 2.5.5.2). */
export function isEveryone(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/')
  const length = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.POSITIVE_INFINITY
  if (rest.length > 0 || length > 128) return false
  if (isIPv4(address)) return length === 0
  if (!isIPv6(address)) return false
  const range = new BlockList()
  range.addSubnet(address, length, 'ipv6')
  return ['::ffff:0.0.0.0', '::ffff:255.255.255.255'].every((one) => range.check(one, 'ipv6'))
}

/** `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`. A range of all addresses is refused: it would trust everyone. */
export function isAddressOrRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  const length = prefix === undefined ? bits : Number(/^\d{1,3}$/.exec(prefix)?.[0] ?? 0)
  return rest.length === 0 && length >= 1 && length <= bits
}
