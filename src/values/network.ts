import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net'

/**
 * The network of an address: what one customer has of IPv4 addresses that change (a /24), and of IPv6 addresses (a
 * /48, RFC 6177 section 2). Guesses are counted by it, and a repeat is told from a thief by it.
 *
 * @param ip empty for an operator, who is in no network.
 */
export function networkOf(ip: string): string {
  return ipv4OrNetwork(ip, 3).replace(/\.\d+$/, '.0/24')
}

/**
 * The network of an address, and before it the larger one around it: a /16 of IPv4; of IPv6 the /32 that a provider has
 * (RFC 6177 gives its customers a /48). Who has many networks rarely has them in many of the larger ones.
 */
export function networksOf(ip: string): [larger: string, network: string] {
  const network = networkOf(ip)
  return [network.split(/[.:]/, 2).join(), network]
}

/** What one customer may have as a single address: an IPv4 address, or the /64 of an IPv6 address (RFC 6177 section 2). */
export function connectionOf(ip: string): string {
  return ipv4OrNetwork(ip, 4)
}

/** @param count how many of the eight groups of an IPv6 address are its network. */
function ipv4OrNetwork(ip: string, count: number): string {
  if (!isIPv6(ip)) return ip
  const { address } = new SocketAddress({ address: ip, family: 'ipv6' })
  return ipv4Within(address) ?? ipv6Network(address, count)
}

/**
 * The IPv4 address that an IPv6 address holds: mapped (RFC 4291 section 2.5.5.2), or translated on its way to a server
 * that has only IPv6 (RFC 6052 section 2.1). All clients of such a translator would be one network otherwise.
 */
function ipv4Within(address: string): string | undefined {
  const [, mapped] = /^::ffff:([\d.]+)$/.exec(address) ?? []
  if (mapped) return mapped
  const [, high = '0', low] = /^64:ff9b::(?:(\w+):)?(\w+)$/.exec(address) ?? []
  if (low === undefined) return
  const groups = [high, low].map((group) => Number.parseInt(group, 16))
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join('.')
}

/** The first of eight groups. `::` stands for all missing groups. */
function ipv6Network(address: string, count: number): string {
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return `${[...head, ...zeros, ...tail].slice(0, count).join(':')}::/${count * 16}`
}

/** A range of all addresses, or of all IPv4 addresses, mapped or translated to IPv6. */
export function isEveryone(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/')
  const length = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.POSITIVE_INFINITY
  if (rest.length > 0 || length > 128) return false
  if (isIPv4(address)) return length === 0
  if (!isIPv6(address)) return false
  const range = new BlockList()
  range.addSubnet(address, length, 'ipv6')
  return ['::ffff:', '64:ff9b::'].some((prefix) =>
    ['0.0.0.0', '255.255.255.255'].every((ipv4) => range.check(prefix + ipv4, 'ipv6')),
  )
}

/** `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`. A range of all addresses is refused: it would trust everyone. */
export function isAddressOrRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  const length = prefix === undefined ? bits : Number(/^\d{1,3}$/.exec(prefix)?.[0] ?? 0)
  return rest.length === 0 && length >= 1 && length <= bits
}
