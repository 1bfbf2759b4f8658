"""Made-up words for orders: firms, people, goods, and the file names that people really use."""

from __future__ import annotations

SUPPLIERS = (
    "Nordwind Logistik GmbH",
    "Hélios Énergie S.A.",
    "O'Brien & Sons Ltd.",
    "Straßenbau Müller / Köhler KG",
    "Comercial Peñarol S.L.",
    "Blue Heron Supplies Inc.",
    "Łódzkie Zakłady Metalowe",
    "Kansai Parts 関西部品",
    "Tools: Cutting, Milling",
    "Orchid Packaging Pte Ltd",
    "Companhia São Jorge Lda",
    "Granite Office Interiors",
)

COMPANIES = (("1000", "Alder Holding"), ("1100", "Alder Deutschland"), ("2050", "Alder Ibérica"), ("3300", "Alder UK"))

REQUESTERS = ("Ana Souza", "Bjørn Dahl", "Chloé Martin", "David Okafor", "Emi Tanaka", "Frida Lindqvist", "Guy Roche")

DEPARTMENTS = ("Maintenance", "Facilities", "IT", "Production", "Quality", "Logistics")

STATUSES = ("Issued", "Closed", "Soft Closed", "Partially Received")

PAYMENT_TERMS = ("Net 30", "Net 45", "Net 60", "2% 10, Net 30")

CURRENCIES = ("EUR", "EUR", "USD", "GBP", "BRL", "JPY")

GOODS = (
    "Bearing 6204-2RS",
    "Hydraulic hose DN12",
    "Safety gloves, size 9",
    "Copy paper A4, 80 g",
    "Service visit, half day",
    "Laptop dock USB-C",
    "Pallet 1200 x 800",
    "Sensor M12, PNP",
    "Cleaning agent 10 l",
    "Cable gland M20",
)

COMMODITIES = ("31171504", "40142000", "46181504", "14111507", "81141804", "43211602", "24112700", "41111900")

FILE_STEMS = (
    "Invoice {number}",
    "Delivery note {number}",
    "Order confirmation {number}",
    "Quotation rev 2",
    "RE: Your order {number}",
    "Terms & conditions",
    "Goods receipt (signed)",
    "Scan_{number}_001",
    "Certificate of conformity",
    "Lieferschein Größe L",
    "Preisliste für Händler",
    "Facture n° {number}",
    "Orçamento revisão",
    "Счёт {number}",
    "請求書 {number}",
)
