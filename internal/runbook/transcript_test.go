package runbook

import (
	"strings"
	"testing"
)

// transcript is a command line and all that it says and prints.
type transcript struct {
	line, says, prints string
}

// transcribed runs the command lines, each against a new store. The texts begin
// with a line break.
func transcribed(t *testing.T, tests []transcript) {
	t.Helper()
	for _, tt := range tests {
		c := newSteeringConsole(t)
		c.must(exitOK, tt.line)
		if got := c.err.String(); got != strings.TrimPrefix(tt.says, "\n") {
			t.Errorf("chatops %s says\n%s\nwant%s", tt.line, got, tt.says)
		}
		if got := c.out.String(); got != strings.TrimPrefix(tt.prints, "\n") {
			t.Errorf("chatops %s prints\n%s\nwant%s", tt.line, got, tt.prints)
		}
	}
}

func TestTranscript_OperationsList(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq operations list --all -o wide", prints: `
OPERATION  KIND   STATE    MATCHED  RELEASED  SKIPPED  LEFT  RATE           ETA  ACTOR  WHY               CREATED               CHANGED  CHANGED BY  DONE                  FILTER
op_3       retry  halted       100        10        0    90  5 of no limit       ola    9 of 10 failed    2026-03-10T11:59:00Z                                             target slack:alerts
op_2       retry  running      100        10        0    90  5 of 50/s      8s   o|la   =cmd|x\n\x1b[2Jy  2026-03-10T11:59:00Z                                             target slack:alerts
op_1       retry  done         100        10        0    90  up to 50/s          ola    CRM is back       2026-03-10T11:59:00Z                       2026-03-10T12:00:00Z  target slack:alerts
`},
		{line: "dlq operations list --all -o csv", prints: `
operation,kind,state,matched,released,skipped,left,rate,eta,actor,why,created,changed,changed_by,done,filter
op_3,retry,halted,100,10,0,90,5 of no limit,,ola,9 of 10 failed,2026-03-10T11:59:00Z,,,,target slack:alerts
op_2,retry,running,100,10,0,90,5 of 50/s,8s,o|la,'=cmd|x\n\x1b[2Jy,2026-03-10T11:59:00Z,,,,target slack:alerts
op_1,retry,done,100,10,0,90,up to 50/s,,ola,CRM is back,2026-03-10T11:59:00Z,,,2026-03-10T12:00:00Z,target slack:alerts
`},
		{line: "dlq operations list --all -o markdown", prints: `
| operation | kind | state | matched | released | skipped | left | rate | eta | actor | why |
| --- | --- | --- | ---: | ---: | ---: | ---: | --- | --- | --- | --- |
| op_3 | retry | halted | 100 | 10 | 0 | 90 | 5 of no limit |  | ola | 9 of 10 failed |
| op_2 | retry | running | 100 | 10 | 0 | 90 | 5 of 50/s | 8s | o\|la | =cmd\|x\\n\\x1b\[2Jy |
| op_1 | retry | done | 100 | 10 | 0 | 90 | up to 50/s |  | ola | CRM is back |
`},
		{line: "dlq operations list -o jsonl", prints: `
{"id":"op_3","kind":"retry","state":"halted","filter":"target slack:alerts","actor":"ola","reason":"CRM is back","note":"9 of 10 failed","matched":100,"released":10,"skipped":0,"left":90,"delivered":null,"failed":null,"pending":null,"waiting":null,"other":null,"paced":true,"rate":null,"current_rate":5,"canary":1,"max_failures_percent":20,"waits_for":"","carried_by":"","eta_seconds":null,"created_at":"2026-03-10T11:59:00Z","changed_at":null,"changed_by":"","done_at":null}
{"id":"op_2","kind":"retry","state":"running","filter":"target slack:alerts","actor":"o|la","reason":"=cmd|x\n\u001b[2Jy","note":"","matched":100,"released":10,"skipped":0,"left":90,"delivered":null,"failed":null,"pending":null,"waiting":null,"other":null,"paced":true,"rate":50,"current_rate":5,"canary":1,"max_failures_percent":20,"waits_for":"","carried_by":"","eta_seconds":7.6,"created_at":"2026-03-10T11:59:00Z","changed_at":null,"changed_by":"","done_at":null}
`},
	})
}

func TestTranscript_OperationsShow(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq operations show op_2 -o table", prints: `
FIELD         VALUE
operation     op_2
kind          retry
state         running
why
waits_for
filter        target slack:alerts
actor         o|la
reason        =cmd|x\n\x1b[2Jy
matched       100
released      10
delivered     0
failed        0
pending       0
waiting       10
other         0
skipped       0
left          90
rate          5 of 50/s
max_failures  20 %
eta           8s
carried_by
created       2026-03-10T11:59:00Z
changed
changed_by
done
`},
		{line: "dlq operations show op_3 -o yaml", prints: `
id: op_3
kind: retry
state: halted
filter: "target slack:alerts"
actor: ola
reason: "CRM is back"
note: "9 of 10 failed"
matched: 100
released: 10
skipped: 0
left: 90
delivered: 0
failed: 0
pending: 0
waiting: 10
other: 0
paced: true
rate: null
current_rate: 5
canary: 1
max_failures_percent: 20
waits_for: ""
carried_by: ""
eta_seconds: null
created_at: "2026-03-10T11:59:00Z"
changed_at: null
changed_by: ""
done_at: null
`},
	})
}

func TestTranscript_OperationsChanges(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq operations pause op_2 --dry-run -o csv", prints: `
operation,kind,state,matched,released,skipped,left,rate,eta,actor,why,created,changed,changed_by,done,filter
op_2,retry,paused,100,10,0,90,5 of 50/s,,o|la,'=cmd|x\n\x1b[2Jy,2026-03-10T11:59:00Z,2026-03-10T12:00:00Z,ewa,,target slack:alerts
`},
		{line: "dlq operations rate op_2 600/m --dry-run -o table", prints: `
OPERATION  KIND   STATE    MATCHED  RELEASED  SKIPPED  LEFT  RATE       ETA  ACTOR  WHY
op_2       retry  running      100        10        0    90  5 of 10/s  12s  o|la   =cmd|x\n\x1b[2Jy
`},
		{line: "dlq operations resume op_3 --dry-run -o table", says: `
note: op_3 halted by itself: 9 of 10 failed; it begins again with its canary
`, prints: `
OPERATION  KIND   STATE    MATCHED  RELEASED  SKIPPED  LEFT  RATE         ETA  ACTOR  WHY
op_3       retry  running      100        10        0    90  canary of 1  8s   ola    CRM is back
`},
		{line: "dlq operations cancel op_2 op_3 --dry-run -o table", prints: `
OPERATION  KIND   STATE      MATCHED  RELEASED  SKIPPED  LEFT  RATE            ETA  ACTOR  WHY
op_2       retry  cancelled      100        10        0    90  up to 50/s           o|la   =cmd|x\n\x1b[2Jy
op_3       retry  cancelled      100        10        0    90  up to no limit       ola    CRM is back
`},
	})
}

func TestTranscript_Groups(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq groups -o wide", prints: `
FINGERPRINT  STATE  COUNT  TREND              INTEGRATION  CODE  ERROR                       NOTE  PENDING  FAILED  FIRST SEEN            LAST SEEN             TYPE         TARGET        SAMPLE  SAID
abc123       open       1  rising 1/h, was 0  monday             crm|said\n\x1b[31mno\u202e              0       1  2026-03-10T12:00:00Z  2026-03-10T12:00:00Z  monday_item  monday:leads       1

FIELD   VALUE
causes  1
alerts  1
muted   0
`},
		{line: "dlq groups -o yaml", prints: `
items:
  - fingerprint: abc123
    integration: monday
    code: ""
    event_type: monday_item
    target: "monday:leads"
    state: open
    count: 1
    by_status:
      failed: 1
    trend:
      last_hour: 1
      hour_before: 0
      direction: rising
    first_seen: "2026-03-10T12:00:00Z"
    last_seen: "2026-03-10T12:00:00Z"
    sample_id: 1
    sample: "crm|said\n\u001b[31mno\u202e"
    note: ""
    note_by: ""
    acknowledged_by: null
    acknowledged_at: null
    muted_by: null
    muted_until: null
    muted_reason: ""
    retry: "chatops dlq retry --fingerprint abc123 --dry-run"
total:
  groups: 1
  alerts: 1
  muted: 0
`},
		{line: "dlq groups -o markdown", prints: `
| fingerprint | state | count | trend | integration | code | error | note |
| --- | --- | ---: | --- | --- | --- | --- | --- |
| abc123 | open | 1 | rising 1/h, was 0 | monday |  | crm\|said\\n\\x1b\[31mno\\u202e |  |

| field | value |
| --- | --- |
| causes | 1 |
| alerts | 1 |
| muted | 0 |
`},
	})
}

func TestTranscript_GroupsChanges(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "dlq groups ack abc123 --yes -o yaml", says: `
environment  default
database     db.example:5432/chatops
change       ack cause abc123 (1 alert)
`, prints: `
fingerprint: abc123
said: ack
alerts: 1
state: acknowledged
muted_until: null
dry_run: false
`},
		{line: "dlq groups mute abc123 --for 90m --reason later --yes -o csv", says: `
environment  default
database     db.example:5432/chatops
change       mute cause abc123 (1 alert) for 1h 30m
`, prints: `
field,value
fingerprint,abc123
said,mute
alerts,1
state,muted
muted_until,2026-03-10T13:30:00Z
dry_run,false
`},
		{line: "dlq ack --yes --reason ticket -o yaml", says: `
environment  default
database     db.example:5432/chatops
change       acknowledge 1 alarm: 0 alerts waiting
`, prints: `
raised: true
raised_at: "2026-03-10T12:00:00Z"
waiting: 1
oldest_seconds: 0
told: 1
acknowledged_by: ewa
acknowledged_at: "2026-03-10T12:00:00Z"
reason: ticket
dry_run: false
`},
		{line: "dlq ack --dry-run -o table", prints: `
FIELD            VALUE
raised           true
raised_at        2026-03-10T12:00:00Z
waiting          1
told             1
acknowledged_by
acknowledged_at
reason
dry_run          true
`},
	})
}

func TestTranscript_AuditAndWhoami(t *testing.T) {
	t.Parallel()
	transcribed(t, []transcript{
		{line: "audit list -o wide", prints: `
ID  AT                    ACTOR  HOST   COMMAND                  REASON            RESULT  FILTER       FINISHED
 1  2026-03-10T12:00:00Z  ola    ops-1  chatops dlq retry --all  =cmd|x\n\x1b[2Jy  ok: 1   {"ids":[1]}
`},
		{line: "audit list -o yaml", prints: `
items:
  - id: 1
    at: "2026-03-10T12:00:00Z"
    actor: ola
    host: ops-1
    command: "chatops dlq retry --all"
    filter:
      ids:
        - 1
    reason: "=cmd|x\n\u001b[2Jy"
    result: "ok: 1"
    finished_at: null
next_cursor: null
`},
		{line: "audit list -o markdown", prints: `
| id | at | actor | host | command | reason | result |
| ---: | --- | --- | --- | --- | --- | --- |
| 1 | 2026-03-10T12:00:00Z | ola | ops-1 | chatops dlq retry --all | =cmd\|x\\n\\x1b\[2Jy | ok: 1 |
`},
		{line: "whoami -o yaml", prints: `
actor: ewa
host: ops-1
profile: null
environment: default
changes: asked
protected: false
read_only: false
database_engine: postgresql
database_host: "db.example:5432/chatops"
redis_host: null
version: ` + Version() + "\n"},
		{line: "whoami -o csv", prints: `
field,value
actor,ewa
host,ops-1
profile,none
environment,default
changes,are confirmed with y
database,db.example:5432/chatops (postgresql)
redis,none
version,` + Version() + "\n"},
	})
}
