"""A BME680's compensation formulas turned round: from the air to what its converters would say.

Formulas: datasheet BST-BME680-DS001, 3.3 and 3.4, in floating point. The coefficients are those
of a made-up, typical chip; every real one carries its own.
"""

from bisect import bisect_left

T1, T2, T3 = 26200, 26300, 3
P1, P2, P3, P4, P5 = 36500, -10400, 88, 7000, -100
P6, P7, P8, P9, P10 = 30, 35, -1500, -2600, 30
H1, H2, H3, H4, H5, H6, H7 = 780, 1020, 0, 45, 20, 120, -100
GH1, GH2, GH3 = -40, -12000, 18
RES_HEAT_RANGE, RES_HEAT_VAL, RANGE_SW_ERR = 1, 45, 0

ADC_20 = range(1 << 20)
ADC_16 = range(1 << 16)

GAS_CONSTANT = 1340.0 + 5.0 * RANGE_SW_ERR
RANGE_OHMS = tuple(8_000_000 / (1 << step) for step in range(16))
"""const_array2 of table 16; const_array1 is 1 for all ranges of this chip but for 0.8 %."""


def registers() -> dict[int, int]:
    """The coefficients at their addresses (datasheet tables 11 to 16), bytes by register."""
    words = {0xE9: T1, 0x8A: T2, 0x8E: P1, 0x90: P2, 0x94: P4, 0x96: P5}
    words |= {0x9C: P8, 0x9E: P9, 0xEB: GH2}
    memory = {0x8C: T3, 0x92: P3, 0x98: P7, 0x99: P6, 0xA0: P10}
    memory |= {0xE4: H3, 0xE5: H4, 0xE6: H5, 0xE7: H6, 0xE8: H7, 0xED: GH1, 0xEE: GH3}
    memory |= {0xE1: H2 >> 4, 0xE2: (H2 & 0xF) << 4 | H1 & 0xF, 0xE3: H1 >> 4}
    memory |= {0x00: RES_HEAT_VAL, 0x02: RES_HEAT_RANGE << 4, 0x04: RANGE_SW_ERR << 4}
    for register, word in words.items():
        memory |= {register: word & 0xFF, register + 1: word >> 8 & 0xFF}
    return {register: value & 0xFF for register, value in memory.items()}


def fine(adc: int) -> float:
    """Temperature in 1/5120 °C, the scale that the other formulas need."""
    first = (adc / 16384 - T1 / 1024) * T2
    return first + (adc / 131072 - T1 / 8192) ** 2 * T3 * 16


def pascals(adc: int, t_fine: float) -> float:
    """Pressure (Pa) that a converter value stands for; it falls as the value rises."""
    heat = t_fine / 2 - 64000
    offset = (heat * heat * P6 / 131072 + heat * P5 * 2) / 4 + P4 * 65536
    slope = (P3 * heat * heat / 16384 + P2 * heat) / 524288
    slope = (1 + slope / 32768) * P1
    press = (1048576 - adc - offset / 4096) * 6250 / slope
    bend = P9 * press * press / 2147483648 + press * P8 / 32768
    return press + (bend + (press / 256) ** 3 * P10 / 131072 + P7 * 128) / 16


def percent(adc: int, temperature: float) -> float:
    """Relative humidity (%) that a converter value stands for at a temperature (°C)."""
    start = adc - (H1 * 16 + H3 / 2 * temperature)
    slope = 1 + H4 / 16384 * temperature + H5 / 1048576 * temperature**2
    linear = start * (H2 / 262144 * slope)
    return linear + (H6 / 16384 + H7 / 2097152 * temperature) * linear * linear


def temperature_adc(temperature: float) -> int:
    """The 20 bit converter value for a temperature (°C)."""
    return bisect_left(ADC_20, temperature * 5120, key=fine)


def pressure_adc(pressure: float, t_fine: float) -> int:
    """The 20 bit converter value for a pressure (hPa)."""
    return bisect_left(ADC_20, -pressure * 100, key=lambda adc: -pascals(adc, t_fine))


def humidity_adc(humidity: float, temperature: float) -> int:
    """The 16 bit converter value for a relative humidity (%) at a temperature (°C)."""
    return min(bisect_left(ADC_16, humidity, key=lambda adc: percent(adc, temperature)), 0xFFFF)


def gas_adc(resistance: float) -> tuple[int, int]:
    """The 10 bit converter value and the range for a gas resistance (Ω)."""
    for step in reversed(range(16)):
        adc = RANGE_OHMS[step] * GAS_CONSTANT / resistance - GAS_CONSTANT + 512
        if 0 <= adc < 1024:
            return round(adc), step
    return (0, 0) if resistance > RANGE_OHMS[0] else (1023, 15)
