"""The names and products of demo orders. Every mail address and web address is under a name reserved for examples."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Country:
    """People of a country: `phone` is a pattern whose every # becomes a digit."""

    code: str
    locale: str
    currency: str
    phone: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    companies: tuple[str, ...]
    vat: str
    address: str


def _country(code: str, locale: str, currency: str, phone: str, *lists: str) -> Country:
    first, last, companies, vat, address = lists
    return Country(
        code,
        locale,
        currency,
        phone,
        tuple(first.split("|")),
        tuple(last.split("|")),
        tuple(companies.split("|")),
        vat,
        address,
    )


COUNTRIES: Final[dict[str, tuple[Country, ...]]] = {
    "demo-eu": (
        _country(
            "DE", "de-DE", "EUR", "+49 30 #######", "Jürgen|Anke|Sören|Käthe|Björn|Ute", "Müller|Strauß|Köhler|Weiß",
            "Bäckerei Groß GmbH|Nordlicht Software AG", "DE#########", "Torstraße 49, 10119 Berlin",
        ),
        _country(
            "PT", "pt-PT", "EUR", "+351 21 ### ####", "Luís|Inês|João|Conceição", "Gonçalves|Araújo|Magalhães",
            "Azulejo & Filhos, Lda.", "PT#########", "Rua da Prata 80, 1100-420 Lisboa",
        ),
        _country(
            "GR", "el-GR", "EUR", "+30 21# ### ####", "Μαρία|Γιώργος|Ελένη", "Παπαδόπουλος|Νικολάου",
            "Οδυσσέας Α.Ε.", "EL#########", "Ερμού 15, 105 63 Αθήνα",
        ),
        _country(
            "PL", "pl-PL", "PLN", "+48 22 ### ## ##", "Łukasz|Małgorzata|Zażółć", "Wójcik|Żuraw|Święcka",
            "Gęś i Spółka sp. z o.o.", "PL##########", "ul. Piękna 1, 00-549 Warszawa",
        ),
    ),
    "demo-us": (
        _country(
            "US", "en-US", "USD", "+1 (206) 555-01##", "Mary-Jane|Dwayne|Aaliyah|Seán", "O’Connor|Smith|Nguyen|García",
            "Smith, Jones & Sons Inc.|“Quoted” Ventures LLC", "##-#######", "1600 Pike St, Seattle, WA 98101",
        ),
        _country(
            "BR", "pt-BR", "BRL", "+55 (11) 9####-####", "Antônio|Luíza|Thaís", "Conceição|D’Ávila|Simões",
            "Pão de Açúcar Digital Ltda.", "##.###.###/0001-##", "Av. Paulista 1000, São Paulo",
        ),
        _country(
            "CA", "fr-CA", "CAD", "+1 (514) 555-01##", "Zoé|Étienne|Noël", "Bélanger|L’Heureux",
            "Érable numérique inc.", "#########RT0001", "4200 rue Sainte-Catherine, Montréal",
        ),
    ),
    "demo-apac": (
        _country(
            "JP", "ja-JP", "JPY", "+81 3-####-####", "さくら|健太|美咲", "佐藤|鈴木|髙橋", "株式会社みらい",
            "T#############", "東京都千代田区丸の内1-1",
        ),
        _country(
            "IN", "en-IN", "INR", "+91 22 #### ####", "प्रिया|Arjun|Lakshmi", "शर्मा|Iyer|Krishnamurthy",
            "Ganga Softworks Pvt. Ltd.", "27AAAAA####A1Z#", "14 Marine Drive, Mumbai 400020",
        ),
        _country(
            "AE", "ar-AE", "AED", "+971 4 ### ####", "فاطمة|عمر|ليلى", "الحداد|منصور", "شركة النور",
            "###############", "شارع الشيخ زايد، دبي",
        ),
        _country(
            "KW", "ar-KW", "KWD", "+965 2### ####", "نورة|خالد", "العتيبي", "دار الخليج", "#########",
            "شارع سالم المبارك، السالمية",
        ),
    ),
}  # fmt: skip

# (name, SKU, price in the major unit of a currency near the euro)
PRODUCTS: Final = (
    ("Antivirus Pro, 3 devices", "AVP-3", "49.00"),
    ("Antivirus Pro, 10 devices", "AVP-10", "89.90"),
    ("PDF Workshop 12", "PDW-12", "64.50"),
    ("PDF Workshop 12, extended download", "PDW-12-XD", "7.95"),
    ("Photo Darkroom", "PHD-1", "119.00"),
    ("Password Safe, family", "PWS-F", "35.88"),
    ("Backup Vault 2 TB", "BKV-2", "99.99"),
    ("Font Foundry “Größe” <beta>", "FNF-B", "18.00"),
)
PAYMENTS: Final = (
    ("CreditCard", "Bank card", True),
    ("PayPal", "PayPal", False),
    ("WireTransfer", "Bank transfer", False),
    ("PurchaseOrder", "Purchase order", False),
)
# How much one unit of the price list is in a currency; what matters is that amounts look right.
RATES: Final = {
    "EUR": "1",
    "PLN": "4.25",
    "USD": "1.10",
    "BRL": "6",
    "CAD": "1.50",
    "JPY": "160",
    "INR": "95",
    "AED": "4",
    "KWD": "0.335",
}
REFUND_REASONS: Final = (
    "Bought twice by mistake; the other order is kept.",
    "Does not run on the customer's computer; our technicians tried for a week.",
    "Customer ordered the Windows version and needs the one for macOS.\nAsked to be called before it is done.",
    "Chargeback announced by the bank.",
)
