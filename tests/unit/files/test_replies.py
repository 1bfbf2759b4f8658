"""Replies of programs in JSON and XML, and documents of the same forms: invoices, orders, reports and logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.files.content_type import sniff
from poolwright.files.message_list import reports_error

REPLIES = [
    '{"messages":[{"severity":"ERROR","text":"Attachment 17 cannot be provided"}]}',
    '{"message":[{"severity":"ERROR","text":"x"}]}',
    '{"Messages":{"Message":[{"Severity":"error","Text":"x"}]}}',
    '{"Messages":{"Message":{"Severity":"error","Text":"x"}}}',
    '{"messages":[{"severity":"FATAL","text":"x"}],"data":null}',
    '{"messages":[{"severity":"INFO","text":"a"},{"severity":"ERROR","text":"b"}],"requestId":"7","total":2}',
    '{"messages":[{"type":"E","id":"ME","number":"303","message":"Dokument gesperrt"}]}',
    '{"RETURN":[{"TYPE":"A","ID":"00","NUMBER":"001","MESSAGE":"x","LOG_NO":"","SYSTEM":"P01"}]}',
    '{"notifications":[{"level":"error","text":"Anhang fehlt"}]}',
    '{"alerts":[{"type":"danger","message":"x"}]}',
    '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing","diagnostics":"x"}]}',
    '<OperationOutcome><issue><severity value="error"/><code value="processing"/></issue></OperationOutcome>',
    "<response><messages><message><severity>ERROR</severity><text>x</text></message></messages></response>",
    '<messages><message type="error">no</message></messages>',
    '"Access denied"',
    '"error"',
    '"Datei nicht gefunden: \\"17\\""',
    '["Access denied"]',
    '["error","Attachment missing"]',
    '{"d":{"error":{"code":"X","message":"no"}}}',
    '{"fault":{"faultstring":"Invalid Access Token","detail":{"errorcode":"x"}}}',
    "<s:Envelope xmlns:s='s'><s:Body><s:Fault><faultstring>kaputt</faultstring></s:Fault></s:Body></s:Envelope>",
    '<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><code>5</code></error>',
    '{"type":"https://example.test/out-of-credit","title":"You have no credit.","instance":"/a"}',
    '{"type":"urn:problem:attachment-locked","title":"Locked"}',
    '{"type":"about:blank","title":"Gone away"}',
    '{"type":"/problems/locked","title":"Locked"}',
    '{"errors":[{"message":"boom","locations":[{"line":2}]}],"data":{"attachment":null}}',
    '{"success":false,"data":{"url":null},"message":"x","code":"17","ts":171}',
    '{"Success":"N","Message":"x"}',
    '{"erfolg":false,"meldung":"x"}',
    '{"sucesso":false,"mensagem":"x"}',
    '{"exito":"no"}',
    '{"stato":"KO","messaggio":"x"}',
    '{"estado":"error","mensaje":"no"}',
    '{"statut":"erreur","message":"x"}',
    '{"resultado":"FALHA","mensaje":"error"}',
    '{"code":500,"msg":"\u7cfb\u7edf\u5f02\u5e38"}',
    '{"status":"error","data":null,"detail":"x","requestId":"7"}',
    '{"meta":{"code":401,"error_type":"x"},"response":{}}',
    '{"header":{"resultCode":"E","resultMsg":"x"}}',
    '{"resultCode":"F","resultMessage":"x"}',
    '{"result":{"success":false,"message":"x"},"id":1}',
    '{"jsonrpc":"2.0","result":{"authenticated":false},"id":1}',
    '{"validationErrors":["id: required"],"traceId":"00-1"}',
    '{"ioFaults":[{"text":"x"}],"a":1}',
    '{"ResponseStatus":{"ErrorCode":"NotFound","Message":"x"}}',
    '{"errorList":[{"text":"x"}]}',
    '{"error_summary":"path/x"}',
    '{"errorDetail":"x","a":1,"b":2,"c":3}',
    '{"__type":"com.amazon.coral.service#InternalFailure"}',
    '{"text":"An error occurred. Reference #12345"}',
    '{"text":"Access denied: ticket #18.2f"}',
    '["Access denied. Reference #7"]',
    '{"header":{"status":{"code":"ERR","message":"x"}},"body":null}',
    "<xml><return_code>FAIL</return_code><return_msg>x</return_msg></xml>",
    "<Fehler><Text>x</Text></Fehler>",
    "<erreur>x</erreur>",
    '{"messages":{"error":["x"]}}',
    '{"messages":["Saved nothing","Error: attachment locked"]}',
    '{"toast":{"type":"error","message":"x"}}',
    '{"issues":[{"severity":"fatal","details":"x"}]}',
    '{"success":"no","message":"x"}',
    '{"flash":[["error","x"]]}',
    '{"flash":[["info","Saved"],["danger","x"]]}',
    '{"flash":{"error":"x"}}',
    '{"flash":{"info":[],"error":["x"]}}',
    '{"data":null,"flash":["Error: x"]}',
    '{"notices":[["error",404,"x"]],"status":200}',
    '{"data":{"flashes":[["ERROR ","x"]]}}',
    '{"messages":[["E","Attachment 17 is locked"]]}',
    '[["error","x"]]',
    '["error",17,"x",null]',
]
UBL = (
    '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>{}</ID><IssueDate>2024-01-01'
    "</IssueDate><Note>{}</Note><AccountingSupplierParty><Party><Name>Acme</Name></Party></AccountingSupplierParty>"
    '<InvoiceLine><ID>1</ID><InvoicedQuantity unitCode="C62">5</InvoicedQuantity></InvoiceLine></Invoice>'
)
DOCUMENTS = {
    "ubl.xml": UBL.format("404", "Not found"),
    "ubl error.xml": UBL.format("1", "Error in the last invoice corrected"),
    "cxml.xml": '<cXML payloadID="1"><Header/><Request><ConfirmationRequest><ConfirmationHeader type="reject">'
    "<Comments>error in price</Comments></ConfirmationHeader></ConfirmationRequest></Request></cXML>",
    "factur-x.xml": '<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact"><rsm:ExchangedDocument><ID>RE1</ID>'
    "<TypeCode>380</TypeCode></rsm:ExchangedDocument></rsm:CrossIndustryInvoice>",
    "fattura.xml": '<p:FatturaElettronica xmlns:p="x"><FatturaElettronicaHeader/></p:FatturaElettronica>',
    "form.xml": '<form:Order xmlns:form="x"><form:Id>1</form:Id></form:Order>',
    "table-data.xml": "<table-data><row>1</row></table-data>",
    "section.xml": '<section:a xmlns:section="x"><b>1</b></section:a>',
    "idoc.xml": '<ORDERS05><IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><STATUS>51</STATUS></EDI_DC40></IDOC></ORDERS05>',
    "response.xml": "<ApplicationResponse><ID>1</ID><DocumentResponse><Response><ResponseCode>RE</ResponseCode>"
    "<Description>error</Description></Response></DocumentResponse></ApplicationResponse>",
    "junit.xml": '<testsuites><testsuite errors="1"><testcase><error>t</error></testcase></testsuite></testsuites>',
    "soap.xml": "<s:Envelope xmlns:s='s'><s:Body><Invoice><Note>fault in pump</Note></Invoice></s:Body></s:Envelope>",
    "acknowledgement.xml": "<OrderAcknowledgement><OrderID>1</OrderID><Status>rejected</Status></OrderAcknowledgement>",
    "invoice.edi": "UNA:+.? 'UNB+UNOA:1+54:14+87:14+020102:1000+12'UNH+1+INVOIC:D:96A:UN'BGM+380+1+9'",
    "x12.edi": "ISA*00*          *00*          *ZZ*A              *ZZ*B              *240101*1200*U~",
    "invoice.json": '{"invoice":{"id":"1","lines":[{"pos":1,"text":"Bolt","qty":2}],"total":12.5}}',
    "failed.json": '{"type":"invoice","id":"1","status":"failed","message":"retry","lines":[{"a":1}],"total":1}',
    "log.json": '[{"level":"error","message":"pump failed","ts":"1"},{"level":"info","message":"pump ok","ts":"2"}]',
    "letters.json": '{"messages":[{"from":"A","text":"Deliver on Monday"},{"from":"B","text":"Error in price"}]}',
    "talk.json": '{"messages":[{"type":"text","text":"Please deliver on Monday"}]}',
    "order.json": '{"order":"4500012345","messages":[{"severity":"ERROR","text":"dear"}],"lines":[{"pos":1}]}',
    "levels.json": '{"messages":[' + ",".join(['{"severity":"ERROR","text":"x"}'] * 11) + "]}",
    "test.json": '{"serial":"A1","results":[{"test":"leak","status":"fail"},{"test":"volt","status":"pass"}]}',
    "machine.json": '{"machine":"M1","alerts":[{"type":"danger","message":"hot"}],"operator":"X","shift":2}',
    "odata.json": '{"d":{"results":[{"PurchaseOrder":"4500000001","Status":"Error"}]}}',
    "entity.json": '{"d":{"PurchaseOrder":"4500000001","Supplier":"A","CompanyCode":"1000"}}',
    "graphql.json": '{"data":{"order":{"id":"1","lines":[{"qty":1}]}},"errors":[]}',
    "part.json": '{"code":500,"description":"Bolt","price":1.2}',
    "strings.json": '["4500000001","4500000002","Access denied"]',
    "many.json": '["Access denied","b","c","d"]',
    "quote.json": '{"type":"quote","title":"Offer 17","detail":"10 bolts","price":12,"currency":"EUR"}',
    "link.json": '{"type":"https://schema.test/Quote","title":"Offer 17","price":12,"currency":"EUR"}',
    "untitled.json": '{"type":"https://schema.test/Quote","title":"","text":"Offer 17"}',
    "measured.json": '{"device":"P1","measuredErrors":[0.1,0.2],"offset":1,"unit":"mm"}',
    "certificate.json": '{"certificate":"ISO 9001","expired":true,"holder":"Acme","until":"2023"}',
    "sarif.json": '{"version":"2.1.0","runs":[{"results":[{"level":"error","message":{"text":"x"}}]}]}',
    "entregado.json": '{"estado":"entregado","pedido":"45","mensaje":"ok"}',
    "ticket.json": '{"issue":{"id":4,"title":"Leak","status":"open","severity":"critical"}}',
    "agreed.json": '{"ok":"no","vendor":"x","lot":1}',
    "shown.json": '{"messages":["Deliver on Monday","Use gate 3"]}',
    "rows.json": '{"rows":[["error","pump failed"],["info","pump ok"]]}',
    "rows alone.json": '[["error","pump failed"],["info","pump ok"]]',
    "severities.json": '{"levels":[["error","warning"],["fatal","info"]]}',
    "classes.json": '{"classes":[["A","pump"],["E","valve"]]}',
    "counts.json": '{"counts":[["error",12],["fatal",1]]}',
    "lines.json": '{"order":"4500000001","flash":[["error","x"]],"lines":[{"pos":1}]}',
    "grade.json": '{"code":"E","part":"Bolt","class":2}',
    "returned.json": '{"return":{"id":"R-1","status":"A","description":"Two bolts are sent back"}}',
    "returned.xml": "<return><number>R-1</number><status>E</status><title>Two bolts</title></return>",
    "quoted.csv": '"Access denied","4500000001"\n"ok","4500000002"\n',
    "errors.csv": "code;message\n500;Internal Server Error\n404;Not Found\n",
}


def problems_of(folder: Path, content: str, label: str, declared: str, *, is_vouched: bool) -> tuple[str, ...]:
    path = folder / "download"
    path.write_text(content, encoding="utf-8")
    return sniff(path, label, declared, is_vouched=is_vouched).problems


@pytest.mark.parametrize("content", REPLIES)
def test_a_reply_is_no_file_whatever_it_is_called(tmp_path: Path, content: str) -> None:
    for label in ("invoice.json", "invoice.xml", "note.txt", "list.csv", "plan.dwg", "offer.pdf", "Invoice"):
        for is_vouched in (True, False):
            assert problems_of(tmp_path, content, label, "", is_vouched=is_vouched), label


@pytest.mark.parametrize("label", DOCUMENTS)
def test_a_document_of_the_same_form_is_a_file(tmp_path: Path, label: str) -> None:
    for is_vouched in (True, False):
        assert problems_of(tmp_path, DOCUMENTS[label], label, "", is_vouched=is_vouched) == ()


@pytest.mark.parametrize(
    ("reply", "is_error"),
    [
        ({"messages": [{"severity": "error"}]}, True),
        ({"messages": [{"severity": " Error "}] * 10}, True),
        ({"messages": [{"severity": "error"}] * 11}, False),
        ({"messages": []}, False),
        ({"messages": ["error"]}, True),
        ({"messages": ["hello", "File not found"]}, True),
        ({"messages": ["hello"]}, False),
        ({"messages": ["hello"] * 10 + ["File not found"]}, False),
        ({"messages": ["File not found", 1]}, False),
        ({"messages": {"errors": ["x"]}}, True),
        ({"messages": {"errors": []}}, False),
        ({"messages": {"errors": ["x"], "rows": [1]}}, False),
        ({"issue": {"severity": "critical"}}, False),
        ({"issues": [{"severity": "error"}]}, True),
        ({"alerts": [{"severity": "critical"}]}, True),
        ({"messages": "error"}, False),
        ({"messages": {"message": {"message": {"type": "error"}}}}, True),
        ({"messages": {"message": {"message": {"message": {"type": "error"}}}}}, False),
        ({"messages": {"type": "error", "order": "1"}}, False),
        ({"messages": [{"severity": "warning", "text": "x"}]}, False),
        ({"messages": [{"text": "error"}]}, False),
        ({"messages": [{"severity": "error"}], "alerts": [{"severity": "error"}]}, False),
        ({"messages": [{"severity": "error"}], "alerts": []}, False),
        ({"messages": [{"severity": "error"}], "data": {"id": 1}}, False),
        ({"messages": [{"severity": "error"}], "data": [1]}, False),
        ({"messages": [{"severity": "error"}], "data": {}, "order": None}, True),
        ({"messages": [{"severity": "error"}], "order": "4711"}, False),
        ({"rows": [{"severity": "error"}]}, False),
        ({"flash": [["error", "x"]] * 10}, True),
        ({"flash": [["error", "x"]] * 11}, False),
        ({"flash": [["error", "x", "x", "x", "x"]]}, True),
        ({"flash": [["error", "x", "x", "x", "x", "x"]]}, False),
        ({"flash": [["error"]]}, False),
        ({"flash": [["info", "x"], ["error", "x"]]}, True),
        ({"flash": [["info", "x"]]}, False),
        ({"flash": [["error", "x"], ["pump", "x"]]}, False),
        ({"flash": [["error", "x"], "x"]}, False),
        ({"flash": [["e", "x"], ["warnung", "x"]]}, True),
        ({"flash": [[" Error ", "x"]]}, True),
        ({"flash": [["x", "error"]]}, False),
        ({"flash": [["error", 12, None]]}, False),
        ({"flash": [["error", "17"]]}, False),
        ({"flash": [["error", "x", "Info"]]}, False),
        ({"flash": [["error", "x", "fatal"]]}, False),
        ({"flash": [["error", {"text": "x"}, "x"]]}, False),
        ({"flash": [["error", ["x"], "x"]]}, False),
        ({"flash": [[1, "x"]]}, False),
        ({"rows": [["error", "x"], ["fatal", "x"]]}, True),
        ({"rows": [["error", "x"], ["info", "x"]]}, False),
        ({"rows": [["e", "x"]]}, False),
        ({"rows": [["error", "x"]] * 11}, False),
        ({"rows": []}, False),
        ({"rows": [["error", "x"]], "flash": [["error", "x"]]}, False),
        ({"rows": [["error", "x"]], "order": "4711"}, False),
        ({"flash": {"error": "", "info": "x"}}, False),
        ({"flash": {"error": "x", "info": "x"}}, True),
        ({"flash": {"info": "x"}}, False),
        ({"return": [{"type": "E"}]}, True),
        ({"return": [{"type": "S"}, {"msgty": "A"}]}, True),
        ({"return": [{"status": "A"}]}, False),
        ({"return": [{"kind": "E"}]}, False),
        ({"issues": [{"type": "E"}]}, False),
    ],
)
def test_only_messages_with_an_error_among_them_are_a_reply(reply: dict[str, object], is_error: bool) -> None:
    assert reports_error(reply) is is_error
