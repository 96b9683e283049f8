import ipaddr from 'ipaddr.js';

/**
 * Addresses that are public by their range and answer from inside a cloud all the same.
 * Azure's wire server: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
 */
const forbiddenAddresses = new Set(['168.63.129.16']);

/** The only part of IPv6 that is handed out for the public internet: https://www.iana.org/assignments/ipv6-address-space */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * True where an address may be connected to: only public unicast. Everything else is refused by not being that:
 * loopback, private, shared (RFC 6598), link-local with the metadata services, multicast, reserved, and the IPv6 forms
 * that carry an IPv4 address (NAT64, 6to4, Teredo, IPv4-compatible), which would lead to what is refused as IPv4. An
 * IPv4-mapped one is what the system connects to as IPv4, and is judged as that.
 */
export function isPublicAddress(address: string): boolean {
  // Without the check the library also reads short and octal forms; those never reach a socket here.
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed instanceof ipaddr.IPv6) return parsed.match(globalUnicast);
  return !forbiddenAddresses.has(parsed.toString());
}

/** Names that mean this machine wherever they are looked up: RFC 6761, section 6.3. */
export const isLocalName = (hostname: string): boolean => /(^|\.)localhost$/.test(hostname);
