/** Asks MetalLB for an address. `spec.loadBalancerIP` does as well, but is deprecated, and not every chart has it. */
export const fixedAddressAnnotation = (address: string): Record<string, string> => ({
  'metallb.io/loadBalancerIPs': address,
});
