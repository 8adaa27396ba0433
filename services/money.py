"""Currencies and amounts of money as people read them.

The codes and their minor units are those of ISO 4217 (list one, 2026), with the currencies that were withdrawn since
1990 (list three), because orders of those years may still arrive. Funds, metals and test codes (XAU, XDR, XTS …) are
not prices and are omitted.
"""

from decimal import Decimal
from typing import Final

_MINOR_UNITS: Final[dict[str, int]] = {
    code: units
    for units, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
        2: """
            AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
            CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
            JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
            NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
            SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
        """,
        3: "BHD IQD JOD KWD LYD OMR TND",
    }.items()
    for code in codes.split()
}
_WITHDRAWN: Final[dict[int, str]] = {
    0: "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE TPE TRL",
    2: """
        AFA ALK ANG AOK AON AOR ARA ATS AZM BAD BGL BGN BRB BRC BRE BRN BRR BUK CSD CSK CUC CYP DDM DEM ECS EEK FIM FRF
        GEK GHC GWP HRD HRK IEP LTL LTT LVL LVR MRO MTL MXP MZM NIC NLG PEI PEN PLZ ROK ROL RUR SDD SDP SIT SKK SLL
        SRG STD SUR SVC TJR TMM UAK UGS UYN UYP VEB VEF XEU YDD YUD YUM YUN ZMK ZRN ZRZ ZWC ZWD ZWL ZWN ZWR
    """,
}
_MINOR_UNITS.update((code, units) for units, codes in _WITHDRAWN.items() for code in codes.split())


def is_currency(code: str) -> bool:
    """Whether the text is the code, in capital letters, of a currency for prices."""
    return code in _MINOR_UNITS


def currencies() -> tuple[str, ...]:
    """The codes of all currencies for prices, by the alphabet, those that were withdrawn last."""
    withdrawn = {code for codes in _WITHDRAWN.values() for code in codes.split()}
    return tuple(sorted(_MINOR_UNITS, key=lambda code: (code in withdrawn, code)))


def minor_units(currency: str) -> int:
    """The number of decimals of the currency; 2 for a code that is not in the list."""
    return _MINOR_UNITS.get(currency, 2)


def decimals(amount: Decimal) -> int:
    """The number of decimals that the amount needs, without trailing zeros; none for 1200 and 1E+3."""
    _, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or exponent >= 0:
        return 0
    zeros = 0
    while zeros < min(-exponent, len(digits)) and digits[-1 - zeros] == 0:
        zeros += 1
    return 0 if not any(digits) else -exponent - zeros


def plain_amount(amount: Decimal, currency: str) -> str:
    """`1,234.50`: the currency's decimals, and more where the amount has more. Nothing is rounded."""
    return f"{amount:,.{max(minor_units(currency), decimals(amount))}f}"


def format_money(amount: Decimal, currency: str) -> str:
    """`EUR 1,234.50`, `JPY 1,200`: code and amount."""
    return f"{currency} {plain_amount(amount, currency)}"
