export interface RaspberryPi {
  /** As in /sys/firmware/devicetree/base/model. */
  model: string;
  compatible: readonly string[];
  /** As in /proc/cpuinfo; says the memory and the maker, too. */
  revision: string;
  /** `CPU part` in /proc/cpuinfo. */
  cpuPart: string;
}

export const RASPBERRY_PIS = {
  pi3: {
    model: 'Raspberry Pi 3 Model B Plus Rev 1.3',
    compatible: ['raspberrypi,3-model-b-plus', 'brcm,bcm2837'],
    revision: 'a020d3',
    cpuPart: '0xd03',
  },
  pi4: {
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    compatible: ['raspberrypi,4-model-b', 'brcm,bcm2711'],
    revision: 'c03114',
    cpuPart: '0xd08',
  },
  pi5: {
    model: 'Raspberry Pi 5 Model B Rev 1.0',
    compatible: ['raspberrypi,5-model-b', 'brcm,bcm2712'],
    revision: 'c04170',
    cpuPart: '0xd0b',
  },
} as const satisfies Record<string, RaspberryPi>;

export type RaspberryPiName = keyof typeof RASPBERRY_PIS;
