"""What is no file whatever it is called, and what is one although it reads like an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.files.content_type import FileOrigin, sniff
from poolwright.files.soft_errors import SoftError, WebPage

FAULTS = [
    '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]',
    '{"timestamp":"2024","status":404,"error":"Not Found","path":"/x"}',
    '{"status":"error","message":"Please contact support"}',
    '{"result":"FAILED","reason":"x"}',
    '{"type":"about:blank","title":"Forbidden","status":403,"instance":"/f/1"}',
    '{"hasError":true,"data":null}',
    '{"error_code":17,"error_msg":"x"}',
    '<?xml version="1.0"?><!DOCTYPE cXML SYSTEM "x.dtd"><cXML><Response><Status code="401"/></Response></cXML>',
    "<response><status>error</status><message>x</message></response>",
    '<result status="fail">x</result>',
    "<result><success>false</success></result>",
    "<apiError><code>1</code></apiError>",
    "<ErrorMessage>no</ErrorMessage>",
    "<root><error>x</error></root>",
    '<ns2:serviceFault xmlns:ns2="u"><reason>x</reason></ns2:serviceFault>',
    "<response><header><code>E001</code><message>System error</message></header></response>",
    '{"odata.error":{"code":"","message":{"lang":"en","value":"x"}}}',
    '{"returnCode":"-1","returnMsg":"fail"}',
    "<?xml version='1.0' encoding='utf-16'?><data><errors><e>1</e><e>2</e></errors></data>",
    "<GetFileResponse xmlns='urn:x'><GetFileResult><ErrorText>kaputt</ErrorText></GetFileResult></GetFileResponse>",
    "<attachment><id>5</id><error>gone</error></attachment>",
    "<message>The document is no longer available.</message>",
    "<result><authenticated>false</authenticated></result>",
    '{"response":{"error":{"text":"x"}}}',
    '{"d":{"Message":"Unauthorized"}}',
    '{"loggedIn":false}',
    '{"session_expired":true,"user":null}',
    '{"redirect":"/login"}',
    '{"Status":"NOK"}',
    '{"errno":5,"info":"x"}',
    '{"Fehler":"Beleg gesperrt"}',
    '{"jobId":"17","status":"PROCESSING"}',
    '{"success":true}',
    '{"downloadUrl":"https://files.test/a?sig=1"}',
    "<response><status>queued</status><jobId>4</jobId></response>",
    "[]",
    "{}",
    '{"data":null}',
    'callback({"error":"expired"});',
    '/**/ typeof cb === \'function\' && cb({"status":404,"message":"x"});',
    ')]}\',\n{"error":"expired"}',
    'while(1);{"errors":["x"]}',
    'for (;;);{"error":1357001,"errorSummary":"Not Logged In"}',
    '{"ret":-1,"msg":"no login"}',
    '{"retCode":"-17","message":"x"}',
    '{"returnCode":500,"text":"x"}',
    '{"resultCode":-1,"info":"x"}',
    '{"code":403}',
    '{"success":0,"msg":"x"}',
    '{"errorMessages":["x"],"total":1,"start":0,"max":5}',
    '{"detail":"Authentication credentials were not provided."}',
    '<partial-response><redirect url="/login"/></partial-response>',
    "<partial-response><changes/></partial-response>",
    "<url>https://files.test/y?sig=1</url>",
    "<Location>/login</Location>",
    "<string>File not found</string>",
]
NOTES = [
    "Request unsuccessful. Incapsula incident ID: 1234",
    "The requested URL was rejected. Please consult with your administrator. Your support ID is: 123456",
    "Invalid token",
    "Please log in to continue.",
    "You are not logged in",
    "Authentication required",
    "Too many requests",
    "Request timed out",
    "The server is currently unavailable.",
    "HTTP/1.1 500 Internal Server Error",
    "502 - Bad Gateway",
    "java.lang.NullPointerException\n\tat com.x.A.b(A.java:12)\n\tat com.x.C.d(C.java:3)\n\tat com.x.C.d(C.java:3)\n",
    'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nKeyError: 1\n',
    "ORA-01403: no data found",
    "Acc\u00e8s refus\u00e9",
    "Archivo no encontrado",
    "File non trovato",
    "Die Datei ist nicht mehr verf\u00fcgbar.",
    "Sie sind nicht angemeldet.",
    "\u6587\u4ef6\u4e0d\u5b58\u5728",
    "null",
    "Virus detected in file. Download blocked.",
    "-1",
    "0",
    "-2147467259",
    "0x80004005",
    '"NOK"',
    "true",
    "E_ACCESS_DENIED",
    "Es ist ein Fehler aufgetreten.",
    "Si \u00e8 verificato un errore",
    "Se ha producido un error inesperado.",
    "Wyst\u0105pi\u0142 b\u0142\u0105d",
    "\u767c\u751f\u932f\u8aa4",
    "Zugriff auf dieses Dokument verweigert.",
    "Das Dokument wurde gel\u00f6scht.",
    "O documento n\u00e3o est\u00e1 dispon\u00edvel.",
    "Dokument jest niedost\u0119pny",
    "File has been quarantined by antivirus",
    "This attachment has been removed for security reasons.",
    "You have exceeded your download limit.",
    "Service is down, please try again later.",
    "Please contact your administrator.",
    "We couldn't find the file you asked for.",
    "Session timeout",
    "No attachment found",
    "Please wait...",
    "Your file is being prepared.",
    "Die Datei wird gerade erstellt.",
    "Il file non esiste",
    "O arquivo não foi encontrado",
    "O arquivo não existe",
    "Soubor nebyl nalezen",
    "Nie znaleziono",
    "A fájl nem található",
    "Dosya bulunamadı",
    "Het bestand bestaat niet",
    "Filen finns inte",
    "Filen findes ikke",
    "Filen ble ikke funnet",
    "Tiedostoa ei löydy",
    "Virus detected",
    "A virus was found.",
    "Credentials are missing",
    "Attachment 4711 is not accessible.",
    "Method not allowed",
    "Invalid CSRF token",
    "CSRF token missing or incorrect.",
    "Zugriff nicht gestattet",
    "Accès non autorisé",
    "Sesión expirada",
    "Sessão expirada",
    "Sessione scaduta",
    "Sessie verlopen",
    "Sesja wygasła",
    "Invalid attachment id",
    "Invalid document",
    "Checksum mismatch",
    "Out of memory",
    "no healthy upstream",
    "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    "default backend - 404",
    "You must enable JavaScript to use it",
    "Maximum execution time of 30 seconds exceeded",
    "Sie haben keine Berechtigung, dieses Dokument anzuzeigen.",
    "Vous n'avez pas accès à ce document",
    "No tiene permiso para ver este archivo",
    "Non hai accesso a questo file",
    "会话已过期",
    "请重新登录",
    "没有权限",
    "登录超时",
    "セッションの有効期限が切れました",
    "アクセスが拒否されました",
    "権限がありません",
    "세션이 만료되었습니다",
    "권한이 없습니다",
    "Доступ запрещен",
    "Доступ запрещён",
    "Сессия истекла",
    "Документ не существует",
    "NaN",
    "This file is being scanned for viruses",
    "The document is being checked",
    "Your file is being converted",
]
PAGES = [
    "<br />\n<b>Warning</b>:  readfile(/var/x): failed to open stream: No such file or directory<br />",
    "<b>Fatal error</b>: Uncaught Exception in /x.php",
    "<center><h1>502 Bad Gateway</h1></center><hr>nginx",
    "<html><title>Portal</title><h3 class='x'><span>404</span> Page not found</h3><p>Use the menu.</p></html>",
    "<html><body><h1>Oops!</h1><p>That did not work. Go back and choose something else.</p></body></html>",
    "<html><body><h1>Whitelabel Error Page</h1></body></html>",
    "<html><title>Sorry</title><body>Our team knows of it.</body></html>",
    "<html><body><table><tr><td>Your session has timed out. Please sign in again.</td></tr></table></body></html>",
]
SENTENCES = [
    "Unable to retrieve file",
    "Document was deleted",
    "Keine Berechtigung",
    "You do not have permission to view this document",
    "CSRF token mismatch",
    "Connection refused",
    "Une erreur est survenue",
    "Bestand niet gevonden",
    "\u0424\u0430\u0439\u043b \u043d\u0435 \u043d\u0430\u0439\u0434\u0435\u043d",
    "OBJECT_NOT_FOUND",
    "NoSuchKey",
    "[object Object]",
    "This site is under maintenance",
    "Datei konnte nicht geladen werden",
    '{"message":"Unauthenticated."}',
    '{"success":"false","message":"x"}',
    '<string xmlns="http://tempuri.org/">File not found</string>',
    '<rsp stat="fail"><err code="1"/></rsp>',
]
NAMES = [
    ("data.csv", "text/csv"),
    ("plan.dwg", "application/octet-stream"),
    ("Quotation", "application/json"),
    ("note.txt", "text/plain"),
    ("a.json", "application/json"),
    ("old.xls", "application/vnd.ms-excel"),
    ("a.xml", "application/xml"),
]


def problems_of(folder: Path, content: bytes, label: str, declared: str, *, is_vouched: bool) -> tuple[str, ...]:
    path = folder / "download"
    path.write_bytes(content)
    return sniff(path, label, declared, is_vouched=is_vouched).problems


@pytest.mark.parametrize("content", [*FAULTS, *NOTES, *SENTENCES, *PAGES])
def test_an_error_is_no_file_whatever_it_is_called_and_whoever_vouches_for_it(tmp_path: Path, content: str) -> None:
    for label, declared in NAMES:
        for is_vouched in (True, False):
            assert problems_of(tmp_path, content.encode(), label, declared, is_vouched=is_vouched), label


@pytest.mark.parametrize(
    ("content", "label", "declared"),
    [
        ("400 x Bolt M8\n", "list.txt", "text/plain"),
        ("450 Schrauben M8, Lieferung KW 12", "note.txt", "text/plain"),
        ("500 pcs;12.50;4711", "one.csv", "text/csv"),
        ("404;12;3.50", "one.csv", "text/csv"),
        ("File;Status\nplan.dwg;found\nold.dwg;not found\n", "check.csv", "text/csv"),
        ("Error codes of the pump\nE1: clean it", "codes.txt", "text/plain"),
        ("Delivery address not found on the map: please call.", "note.txt", "text/plain"),
        ('{"code": 500, "description": "Bolt", "price": 1.2}', "part.json", "application/json"),
        ('{"errors":[],"data":{"a":1}}', "a.json", "application/json"),
        ('{"error":0.25,"values":[1,2]}', "measured.json", "application/json"),
        ('[{"message":"hello","id":1}]', "a.json", "application/json"),
        ('{"status":"failed","shipment":"1Z","steps":[1,2]}', "track.json", "application/json"),
        ("<Invoice xmlns='urn:oasis:ubl'><Note>Error in line 2</Note></Invoice>", "inv.xml", "application/xml"),
        ("<cXML><Header/><Request><InvoiceDetailRequest/></Request></cXML>", "inv.xml", "text/xml"),
        ('<cXML><Response><Status code="200" text="OK"/></Response></cXML>', "reply.xml", "text/xml"),
        ("<ApplicationResponse><ResponseCode>RE</ResponseCode></ApplicationResponse>", "reply.xml", "text/xml"),
        ("<FaultReport><pump>7</pump></FaultReport>", "report.xml", "text/xml"),
        ("<s:Envelope xmlns:s='s'><s:Body><Order/></s:Body></s:Envelope>", "order.xml", "text/xml"),
        ("<Order><Status>rejected</Status><Line>1</Line><Line>2</Line></Order>", "order.xml", "text/xml"),
        ("<Pump><Errors>0</Errors><Type>7</Type></Pump>", "pump.xml", "text/xml"),
        ("<TestReport>" + "<Error>E1</Error><Step>2</Step>" * 9 + "</TestReport>", "report.xml", "text/xml"),
        ("<Parts><Part><Name>Pump</Name><State>not found</State></Part></Parts>", "parts.xml", "text/xml"),
        ('{"valid":false,"serial":"A7","checks":{"seal":"open"}}', "check.json", "application/json"),
        ('{"status":"processing","order":"4711","lines":[{"pos":1}]}', "order.json", "application/json"),
        ("<OrderResponse><Status>accepted</Status><Line>1</Line></OrderResponse>", "a.xml", "text/xml"),
        ('{"serial":"A1","result":"pass"}', "test.json", "application/json"),
        ("ISA*00*          *00*", "order.edi", "text/plain"),
        ("The item has been removed from this order.", "note.txt", "text/plain"),
        ("Certificate of conformity: no error was found in the test.", "note.txt", "text/plain"),
        ("Please wait with the delivery until May.", "note.txt", "text/plain"),
        ("Sorry for the delay, the file follows on Tuesday.", "note.txt", "text/plain"),
        ("https://vendor.test/manual.pdf", "link.txt", "text/plain"),
        ("128", "list.csv", "text/csv"),
        ("Maintenance plan 2024: monthly", "note.txt", "text/plain"),
        ("Item 1 cannot be delivered before May; all others as agreed.", "note.txt", "text/plain"),
        ("Dear Sirs,\nplease find our quotation enclosed.\nRegards", "note.txt", "text/plain"),
        ("Please see attached file.", "note.txt", "text/plain"),
        ("id,message\n1,session expired\n2,ok\n", "list.csv", "text/csv"),
        ("4500010001\n4500010002\n", "list.csv", "text/csv"),
        ("4711", "list.csv", "text/csv"),
        ('{"name":"error sensor","id":4}', "data.json", "application/json"),
        ("<Order><Status code='404'>x</Status></Order>", "order.xml", "text/xml"),
        ("BEGIN:VCARD", "card.vcf", "text/vcard"),
        ("From: a@b.test\nSubject: Error in order\n\nThe file was not found", "mail.eml", "message/rfc822"),
        (
            "<html><title>500 Schrauben</title><body>Our offer of bolts, 500 pieces.</body></html>",
            "a.html",
            "text/html",
        ),
    ],
)
def test_a_document_that_reads_like_an_error_is_one(tmp_path: Path, content: str, label: str, declared: str) -> None:
    assert problems_of(tmp_path, content.encode(), label, declared, is_vouched=True) == ()


@pytest.mark.parametrize("label", ["list.csv", "part.step", "model.stl", "order.edi", "old.xls", "a.json", "a.xml"])
def test_a_sentence_is_no_data_whatever_it_says(tmp_path: Path, label: str) -> None:
    sentence = b"Our hamsters are tired today, come back soon."

    assert problems_of(tmp_path, sentence, label, "", is_vouched=True)
    assert not problems_of(tmp_path, sentence, "note.txt", "text/plain", is_vouched=True)


def test_data_of_programs_in_the_place_of_a_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "download"
    path.write_bytes(b'[{"po":"4711","qty":2},{"po":"4712","qty":1}]')

    assert sniff(path, "list.csv", "text/csv").problems
    told = sniff(path, "list.csv", "text/csv", is_vouched=True)
    assert (told.problems, told.notes) == ((), ("list.csv is JSON, although its name says otherwise.",))


@pytest.mark.parametrize(
    "content",
    [
        '{"code":"E100","hint":"x"}',
        '{"state":"closed","user":"jd"}',
        '{"tracking":"1Z"}',
        "<answer><x>1</x></answer>",
        "<html5><p>x</p></html5>",
    ],
)
@pytest.mark.parametrize("label", ["list.csv", "prices.tsv", "offer.pdf"])
def test_a_few_values_are_no_table_whoever_vouches_for_them(tmp_path: Path, content: str, label: str) -> None:
    assert problems_of(tmp_path, content.encode(), label, "application/octet-stream", is_vouched=True)


@pytest.mark.parametrize(
    "content", ["https://files.test/a?sig=1", "/tmp/export/17.csv", "a8098c1a-f86e-11da-bd1a-00112444be1e"]
)
def test_a_key_or_a_place_is_no_table(tmp_path: Path, content: str) -> None:
    assert problems_of(tmp_path, content.encode(), "list.csv", "text/csv", is_vouched=True)


def test_a_type_that_says_that_it_is_an_error_is_believed(tmp_path: Path) -> None:
    assert problems_of(tmp_path, b'{"note":"x"}', "Offer", "application/problem+json", is_vouched=True)


@pytest.mark.parametrize(
    "content",
    [
        b'<html><head><script src=/app.js></script></head><body><div id="root"></div></body></html>',
        b"<html><title>App</title><body><app-root></app-root><noscript>Use scripts</noscript><script></script></html>",
    ],
)
def test_a_page_that_only_its_scripts_fill_is_no_saved_page(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "download"
    path.write_bytes(content)
    finding = sniff(path, "manual.html", "text/html")

    assert finding.problems
    assert finding.shape is SoftError.SCRIPT
    assert not sniff(path, "manual.html", "text/html", is_vouched=True).problems


@pytest.mark.parametrize("label", ["Offer.pdf.", "Offer.pdf ", "Offer.pdf\u200b", "Offer.pdf\u202c."])
def test_what_nobody_sees_behind_a_name_takes_no_promise_from_it(tmp_path: Path, label: str) -> None:
    assert problems_of(tmp_path, b"<html><body><p>hello</p></body></html>", label, "text/html", is_vouched=True)


@pytest.mark.parametrize("label", ["plan.dwg", "offer.pdf", "list.csv", "Offer"])
def test_a_file_of_nothing_but_zeros_did_not_come(tmp_path: Path, label: str) -> None:
    assert "The file contains only zero bytes." in problems_of(tmp_path, bytes(70_000), label, "", is_vouched=True)


@pytest.mark.parametrize("content", [" \n", "\ufeff", "\r\n\r\n"])
def test_a_file_of_nothing_but_blanks_did_not_come(tmp_path: Path, content: str) -> None:
    said = problems_of(tmp_path, content.encode(), "list.csv", "text/csv", is_vouched=True)

    assert "The file contains only white space." in said


def test_a_file_that_begins_with_zeros_came(tmp_path: Path) -> None:
    assert not problems_of(tmp_path, bytes(70_000) + b"CD001", "disk.iso", "", is_vouched=True)


@pytest.mark.parametrize(
    "title",
    [
        "Object moved", "302 Found", "301 Moved", "307 Temporary Redirect", "308 Permanent Redirect", "303 See Other",
        "Document moved", "The page has moved", "Moved Permanently", "Portal - Logon Error", "SAP | Fehler",
        "There is nothing here (404)", "Verify you are human",
    ],
)  # fmt: skip
def test_a_page_whose_title_says_that_it_is_no_document_is_none(tmp_path: Path, title: str) -> None:
    path = tmp_path / "x"
    path.write_text(f"<html><title>{title.removeprefix('The ')}</title><body>{'words ' * 200}</body></html>")

    assert sniff(path, "offer.html", "text/html").shape is SoftError.ERROR


@pytest.mark.parametrize(
    "title", ["301 ways to save", "The object moved by hand", "Offer (405)x", "How to find an error", "Page moves"]
)
def test_a_page_whose_title_only_has_such_words_is_one(tmp_path: Path, title: str) -> None:
    path = tmp_path / "x"
    path.write_text(f"<html><title>{title}</title><body>{'words ' * 200}</body></html>")

    assert sniff(path, "offer.html", "text/html").problems == ()


MESSAGE_LIKE = "has no more content than a message: check whether it is the file."


@pytest.mark.parametrize(
    ("content", "label"),
    [
        ("Please deliver to gate 3.", "note.txt"),
        ("Please deliver to gate 3.\nRing the bell.\n\n", "note.txt"),
        ("One;\ntwo\nthree words", "note.txt"),
        ("Oeps; probeer het later", "list.csv"),
        ("Rendering: queue full (0x17); call 4711", "Invoice"),
        ("n" * 400, "note.txt"),
        ("\u4f55\u304b\u304c\u304a\u304b\u3057\u3044\u3067\u3059\u3002", "note.txt"),
        ('{"meta":{"code":17}}', "a.json"),
        ("<root/>", "a.xml"),
        ("<html><title>Terms of use</title><button>I accept</button></html>", "a.html"),
    ],
)
def test_what_has_no_more_content_than_a_message_is_filed_with_a_word(tmp_path: Path, content: str, label: str) -> None:
    path = tmp_path / "x"
    path.write_text(content)

    assert sniff(path, label).problems == ()
    assert sniff(path, label).notes == (f"{label} {MESSAGE_LIKE}",)
    assert sniff(path, label, is_vouched=True).notes == (f"{label} {MESSAGE_LIKE}",), "a header proves no content"
    assert sniff(path, label, origin=FileOrigin.PROCESSOR).notes == ()
    assert sniff(path, label, origin=FileOrigin.ARCHIVE).notes == (), "no portal packs a message"


@pytest.mark.parametrize(
    ("content", "label"),
    [
        ("One\ntwo\nthree\nfour words", "note.txt"),
        ("n" * 401, "note.txt"),
        ("4500010001\n4500010002", "note.txt"),
        ("PO;Qty\n4500010001;2", "list.csv"),
        ("UNA:+.? 'UNB+UNOA:1+54:14+87:14+020102:1000+12'", "a.edi"),
        ("UNB+UNOC:3+A+B+240101:1200+1'UNH+1+ORDERS:D:96A:UN'", "a.txt"),
        ("ISA*00*          *00*          *ZZ*A              *ZZ*B", "a.edi"),
        ("BEGIN:VCARD\nFN:A", "card.vcf"),
        ("-----BEGIN CERTIFICATE-----\nMIIB", "key.pem"),
        ("ISO-10303-21;\nHEADER;", "part.step"),
        (":20:STARTUMSE\n:25:10020030/1234567", "mt940.txt"),
        ("solid part\nendsolid part", "part.stl"),
        (f'{{"meta":{{"code":17,"x":"{"x" * 1024}"}}}}', "a.json"),
        ('{"orders":[{"id":1,"qty":2},{"id":2,"qty":3}]}', "a.json"),
        (f"<html><title>Terms of use</title>{'word ' * 81}</html>", "a.html"),
        ("<html><title>Plan</title><img src='data:x'></html>", "a.html"),
    ],
)
def test_what_has_more_content_than_a_message_is_filed_without_a_word(tmp_path: Path, content: str, label: str) -> None:
    path = tmp_path / "x"
    path.write_text(content)

    assert (sniff(path, label).problems, sniff(path, label).notes) == ((), ())


@pytest.mark.parametrize(
    ("page", "is_note"),
    [
        (f"<html><title>{'t' * 500}</title>{'w' * 400}</html>", True),
        (f"<html><title>t</title>{'w' * 401}</html>", False),
        ("<html>a <table><tr><td>b</table></html>", False),
        ("<html></html>", True),
    ],
)
def test_a_page_of_four_hundred_letters_is_a_note(page: str, is_note: bool) -> None:
    assert WebPage(page).is_note is is_note
