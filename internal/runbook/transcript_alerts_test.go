package runbook

import "testing"

func TestTranscript_RetryPreviewAsYAML(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq retry --all --dry-run -o yaml", prints: `
operation_id: null
matched: 1
requeued: 0
skipped: 0
dry_run: true
preview:
  counted: 1
  bounded: false
  eligible: 1
  breaker_open: 0
  open_breakers: []
  permanent_error: 0
  consent_withdrawn: 0
  in_other_operation: 0
  already_delivered: 0
  already_delivered_bounded: false
  causes:
    - name: abc123
      count: 1
      sample: "crm|said\n\u001b[31mno\u202e"
  types:
    - name: monday_item
      count: 1
  ages:
    - name: "up to 1h"
      count: 1
  samples:
    - id: 1
      event_type: monday_item
      target: "monday:leads"
      status: failed
      retry_count: 3
      max_retries: 5
      error_message: "crm|said\n\u001b[31mno\u202e"
      fingerprint: abc123
      created_at: "2026-03-10T12:00:00Z"
      last_attempt_at: null
      next_attempt_at: null
      delivered_at: null
  eta_seconds: null
  eta_basis: "as fast as the receivers answer; --rate sets a limit"
`},
	})
}

func TestTranscript_RetryPreviewToPeople(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq retry --all --dry-run -o table", prints: `
FIELD      VALUE
operation
matched    1
requeued   0
skipped    0
dry_run    true

FIELD               VALUE
counted             1
eligible            1
breaker_open        0
permanent_error     0
consent_withdrawn   0
in_other_operation  0
already_delivered   0
takes               as fast as the receivers answer; --rate sets a limit

CAUSE   ALERTS  SAMPLE
abc123       1  crm|said\n\x1b[31mno\u202e

TYPE         ALERTS
monday_item       1

AGE       ALERTS
up to 1h       1

ID  STATUS  TYPE         TARGET        RETRIES  CREATED               ERROR
 1  failed  monday_item  monday:leads      3/5  2026-03-10T12:00:00Z  crm|said\n\x1b[31mno\u202e
`},
		{line: "dlq retry --all --rate 600/m --canary 1 --dry-run -o markdown", prints: `
| field | value |
| --- | --- |
| operation |  |
| matched | 1 |
| requeued | 0 |
| skipped | 0 |
| dry_run | true |

| field | value |
| --- | --- |
| counted | 1 |
| eligible | 1 |
| breaker_open | 0 |
| permanent_error | 0 |
| consent_withdrawn | 0 |
| in_other_operation | 0 |
| already_delivered | 0 |
| takes | 0s (the pace, if all goes well) |

| cause | alerts | sample |
| --- | ---: | --- |
| abc123 | 1 | crm\|said\\n\\x1b\[31mno\\u202e |

| type | alerts |
| --- | ---: |
| monday_item | 1 |

| age | alerts |
| --- | ---: |
| up to 1h | 1 |

| id | status | type | target | retries | created | error |
| ---: | --- | --- | --- | ---: | --- | --- |
| 1 | failed | monday_item | monday:leads | 3/5 | 2026-03-10T12:00:00Z | crm\|said\\n\\x1b\[31mno\\u202e |
`},
	})
}

func TestTranscript_RetryAndDiscard(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq retry --all --rate max --max-failures 5% --yes -o csv", says: `
environment  default
database     db.example:5432/chatops
change       retry 1 alert (status pending, failed), as fast as the receiver takes them; halts when more than 5 % fail; takes about 0s if all goes well
operation    op_4
the replicas carry it; watch it with: chatops dlq operations show op_4 --watch
`, prints: `
field,value
operation,op_4
matched,1
requeued,0
skipped,0
dry_run,false
`},
		{line: "dlq retry --all --yes -o yaml", says: `
environment  default
database     db.example:5432/chatops
change       retry 1 alert (status queued, pending, failed)
operation    op_4
`, prints: `
operation_id: op_4
matched: 1
requeued: 1
skipped: 0
dry_run: false
`},
		{line: "dlq discard --all --reason x --yes -o markdown", says: `
environment  default
database     db.example:5432/chatops
change       discard 1 alert (status pending, failed)
operation    op_4
`, prints: `
| field | value |
| --- | --- |
| operation | op_4 |
| matched | 1 |
| discarded | 1 |
| skipped | 0 |
| dry_run | false |
`},
	})
}

func TestTranscript_EditAndExport(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq edit 1 --set item_name=x --reason y --yes -o yaml", says: `
note: the payloads differ; the difference is shown on a terminal only
environment  default
database     db.example:5432/chatops
change       replace alert 1 by one whose payload differs in 2 lines, and send that
`, prints: `
id: 1
replaced_by: 2
lines: 2
dry_run: false
`},
		{line: "dlq edit 1 --set item_name=x --dry-run -o table", says: `
note: the payloads differ; the difference is shown on a terminal only
`, prints: `
FIELD        VALUE
id           1
replaced_by
lines        2
dry_run      true
`},
		{line: "dlq export -o csv", says: `
exported 1 alert
`, prints: `
id,event_type,target,status,retry_count,error_message,fingerprint,created_at,last_attempt_at,next_attempt_at,delivered_at,idempotency_key
1,monday_item,monday:leads,failed,3,crm|said\n\x1b[31mno\u202e,abc123,2026-03-10T12:00:00Z,,,,lead:s1:monday
`},
		{line: "dlq export", says: `
exported 1 alert
`, prints: `
{"id":1,"event_type":"monday_item","target":"monday:leads","status":"failed","retry_count":3,"max_retries":5,"error_message":"crm|said\n\u001b[31mno\u202e","fingerprint":"abc123","created_at":"2026-03-10T12:00:00Z","last_attempt_at":null,"next_attempt_at":null,"delivered_at":null,"idempotency_key":"lead:s1:monday"}
`},
	})
}

func TestTranscript_Alerts(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq list --status all -o wide", prints: `
ID  STATUS  TYPE         TARGET        RETRIES  CREATED               ERROR                       LAST ATTEMPT  NEXT ATTEMPT  DELIVERED  FINGERPRINT
 1  failed  monday_item  monday:leads      3/5  2026-03-10T12:00:00Z  crm|said\n\x1b[31mno\u202e                                         abc123
`},
		{line: "dlq list --status all -o yaml", prints: `
items:
  - id: 1
    event_type: monday_item
    target: "monday:leads"
    status: failed
    retry_count: 3
    max_retries: 5
    error_message: "crm|said\n\u001b[31mno\u202e"
    fingerprint: abc123
    created_at: "2026-03-10T12:00:00Z"
    last_attempt_at: null
    next_attempt_at: null
    delivered_at: null
next_cursor: null
`},
		{line: "dlq show 1 -o table", prints: `
FIELD            VALUE
id               1
status           failed
event_type       monday_item
target           monday:leads
retries          3/5
error_message    crm|said\n\x1b[31mno\u202e
fingerprint      abc123
created_at       2026-03-10T12:00:00Z
last_attempt_at
next_attempt_at
delivered_at
idempotency_key  lead:s1:monday
operation_id

payload
{
  "item_name": "Jan Kowalski",
  "external_id": "lead:s1",
  "fields": {
    "city": "Krakow",
    "phone": "601 202 303"
  }
}
`},
		{line: "dlq stats -o table", prints: `
TYPE         QUEUED  PENDING  FAILED  DELIVERED  DISCARDED  CANCELLED
monday_item       0        0       1          0          0          0
total             0        0       1          0          0          0

FIELD          VALUE
oldest failed  2026-03-10T12:00:00Z (0s ago)
`},
		{line: "dlq stats -o yaml", prints: `
counts:
  - event_type: monday_item
    status: failed
    count: 1
by_status:
  cancelled: 0
  delivered: 0
  discarded: 0
  failed: 1
  pending: 0
  queued: 0
total: 1
oldest_waiting_at: null
oldest_waiting_age_seconds: null
oldest_failed_at: "2026-03-10T12:00:00Z"
oldest_failed_age_seconds: 0
`},
	})
}
