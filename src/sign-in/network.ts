import { isIPv6, SocketAddress } from 'node:net'

/**
 * What counts as one place that guesses come from. Whoever has one IPv6 address has the 2^64 of its network,
 * so the network counts (RFC 6177 section 2); an IPv4-mapped address (RFC 4291 section 2.5.5.2) is the IPv4 one.
 */
export function networkOf(ip: string): string {
  if (!isIPv6(ip)) return ip
  const { address } = new SocketAddress({ address: ip, family: 'ipv6' })
  const [, ipv4] = /^::ffff:([\d.]+)$/.exec(address) ?? []
  return ipv4 ?? firstHalf(address)
}

/** The first four of eight groups; `::` stands for as many zeros as are missing. */
function firstHalf(address: string): string {
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}
