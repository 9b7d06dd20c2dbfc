package runbook

import (
	"strings"
	"testing"
)

// refusal is a command line that is refused, and every word that is said.
type refusal struct {
	line string
	code int
	says string // the lines of standard error, without the name of the program
}

// refused runs the command lines. None of them changes or prints anything, and
// what is a mistake in the command line is told before a database is opened.
func refused(t *testing.T, tests []refusal) {
	t.Helper()
	for _, tt := range tests {
		c := newSteeringConsole(t)
		c.must(tt.code, tt.line)
		if got := strings.TrimPrefix(strings.TrimSuffix(c.err.String(), "\n"), "chatops: "); got != tt.says {
			t.Errorf("chatops %s says\n%s\nwant\n%s", tt.line, got, tt.says)
		}
		if c.out.Len() > 0 || c.changedAnything() {
			t.Errorf("chatops %s prints or changes something: %q", tt.line, &c.out)
		}
		if tt.code == exitUsage && c.opened > 0 && !strings.HasPrefix(tt.line, "dlq edit") {
			t.Errorf("chatops %s opened the database", tt.line)
		}
	}
}

func TestRefusals_RetryAndDiscard(t *testing.T) {
	t.Parallel()
	refused(t, []refusal{
		{"dlq retry", exitUsage, "nothing chosen: give alert ids, filters or --all\nsee what there is: chatops dlq list"},
		{"dlq retry 1 --all", exitUsage, "give alert ids or filters, not both"},
		{"dlq retry 1 --target slack:alerts", exitUsage, "give alert ids or filters, not both"},
		{"dlq retry x", exitUsage, `alert id "x": must be a number`},
		{"dlq retry 0", exitNotFound, "alert 0: not found"},
		{"dlq retry -- -4", exitNotFound, "alert -4: not found"},
		{"dlq retry op_1", exitNotFound, `"op_1" is an operation, not an alert; see --operation of chatops dlq retry`},
		{"dlq retry 99999999999999999999", exitNotFound, "alert 99999999999999999999: not found"},
		{"dlq retry --limit 0", exitUsage, "--limit 0: must be 1 to 1000"},
		{"dlq retry --all --limit 0 --yes", exitUsage, "--limit 0: must be 1 to 1000"}, // a script that counted wrong
		{"dlq retry --limit -1", exitUsage, "--limit -1: must be 1 to 1000"},
		{"dlq retry --limit 1001 --all", exitUsage, "--limit 1001: must be 1 to 1000"},
		{"dlq retry --status sent", exitUsage, `--status "sent": must be all or some of queued, pending, failed, delivered, discarded, cancelled`},
		{"dlq retry --status delivered", exitUsage, "--status delivered: retry changes only queued, pending, failed alerts"},
		{"dlq retry --all --since soon", exitUsage, `--since "soon": must be a duration (90m, 24h, 7d), a date (2026-03-01) or an RFC 3339 time (2026-03-01T08:00:00Z)`},
		{"dlq retry --all --since 1h --until 2h", exitUsage, "--since 1h is not before --until 2h"},
		{"dlq retry --all --attempts -1", exitUsage, "--attempts -1: must be 0 or more"},
		{"dlq retry --operation op_1 --all", exitUsage, "--operation goes on with a choice made before: give no ids and no filters"},
		{"dlq retry --operation op_1 4", exitUsage, "--operation goes on with a choice made before: give no ids and no filters"},
		{"dlq retry --operation op_9 --yes", exitNotFound, "operation \"op_9\": not found\nsee what there is: chatops dlq operations list"},
		{"dlq retry --all --max-failures 20", exitUsage, "--max-failures is about retries with a pace: give --rate or --canary too"},
		{"dlq retry --all --rate 5 --max-failures x", exitUsage, `--max-failures "x": must be a percentage from 0 to 100, such as 20`},
		{"dlq retry --all --rate 5 --max-failures -1", exitUsage, `--max-failures "-1": must be a percentage from 0 to 100, such as 20`},
		{"dlq retry --all --rate 5 --status queued", exitUsage, "--status queued: retry changes only pending, failed alerts"},
		{"dlq retry --all --rate 20001", exitUsage, `--rate "20001": must be alerts a second such as 50, 50/s or 600/m, from 0.01 to 20000 a second, or max`},
		{"dlq retry --all --canary 1001", exitUsage, "--canary 1001: must be 1 to 1000 alerts"},
		{"dlq retry --all --canary 0", exitUsage, "--canary 0: must be 1 to 1000 alerts"},
		{"dlq retry --operation op_1 --canary 1", exitUsage, "--operation goes on with the pace that it has: give no --rate, --canary and --max-failures\nchange it with: chatops dlq operations rate"},
		{"dlq retry --operation op_1 --max-failures 1", exitUsage, "--operation goes on with the pace that it has: give no --rate, --canary and --max-failures\nchange it with: chatops dlq operations rate"},
		{"dlq discard --reason x", exitUsage, "nothing chosen: give alert ids, filters or --all\nsee what there is: chatops dlq list"},
		{"dlq discard 1 --all --reason x", exitUsage, "give alert ids or filters, not both"},
		{"dlq discard --all --rate 5", exitUsage, "unknown flag: --rate\nsee: chatops dlq discard --help"},
		{"dlq discard --all --reason x --limit 0", exitUsage, "--limit 0: must be 1 to 1000"},
		{"dlq discard --all --now", exitUsage, "unknown flag: --now\nsee: chatops dlq discard --help"},
		{"dlq discard --status delivered --reason x", exitUsage, "--status delivered: discard changes only queued, pending, failed alerts"},
	})
}

func TestRefusals_ExportAndImport(t *testing.T) {
	t.Parallel()
	refused(t, []refusal{
		{"dlq export --payload", exitUsage, "--purpose is required: every look at personal data is on record with why\nfor example: --purpose 'ticket 4711: asks what we store (RODO art. 15)'"},
		{"dlq export --purpose x", exitUsage, "--purpose without --payload: nothing personal is written, so nothing goes on record"},
		{"dlq export -o yaml", exitUsage, "--output yaml: an export is jsonl or csv"},
		{"dlq export -o table", exitUsage, "--output table: an export is jsonl or csv"},
		{"dlq export --status sent", exitUsage, `--status "sent": must be all or some of queued, pending, failed, delivered, discarded, cancelled`},
		{"dlq export 7", exitUsage, "chatops dlq export takes no arguments, got \"7\"\nsee: chatops dlq export --help"},
		{"dlq export --until 1h --since 30m", exitUsage, "--since 30m is not before --until 1h"},
		{"dlq import", exitUsage, "name one file, or - for standard input, got 0 arguments"},
		{"dlq import a b", exitUsage, "name one file, or - for standard input, got 2 arguments"},
		{"dlq import a", exitUsage, "--reason is required: the record has to tell where these alerts come from\nfor example: --reason 'database restored, ticket 4711'"},
		{"dlq import a --reason x --status queued", exitUsage, `--status "queued": must be failed or pending`},
		{"dlq import / --reason x", exitUsage, "open the export: / is a folder: name the file"},
		{"dlq import /none/such --reason x", exitUsage, "open the export: open /none/such: no such file or directory"},
	})
}

func TestRefusals_Edit(t *testing.T) {
	t.Parallel()
	refused(t, []refusal{
		{"dlq edit", exitUsage, "chatops dlq edit needs one alert id, got 0 arguments\nsee: chatops dlq list"},
		{"dlq edit 1 2", exitUsage, "chatops dlq edit needs one alert id, got 2 arguments\nsee: chatops dlq list"},
		{"dlq edit x", exitUsage, `alert id "x": must be a number`},
		{"dlq edit op_1 --set a=b", exitNotFound, `"op_1" is an operation, not an alert; see --operation of chatops dlq retry`},
		{"dlq edit 1", exitUsage, "there is no terminal for an editor\ngive --set or --payload"},
		{"dlq edit 1 --set a=b", exitUsage, "--reason is required: the record has to tell why a payload was changed"},
		{"dlq edit 1 --set a=b --payload f", exitUsage, "give --set or --payload, not both"},
		{"dlq edit 9 --set a=b --reason x", exitNotFound, "alert 9: not found\nsee: chatops dlq list --status all"},
		{"dlq edit 1 --set item_name.x=1 --reason x", exitUsage, `--set: the field "item_name" holds no others`},
		{"dlq edit 1 --set nope=1 --reason x", exitUsage, "--set: the payload has no field \"nope\"\ngive the whole payload by --payload to add one"},
		{"dlq edit 1 --set fields=1x --reason x", exitUsage, `--set: the field "fields" is no text, and the value no JSON`},
		{"dlq edit 1 --set =x --reason x", exitUsage, "--set: must be PATH=VALUE, such as fields.city=Gdańsk"},
		{"dlq edit 1 --set item_name --reason x", exitUsage, "--set: must be PATH=VALUE, such as fields.city=Gdańsk"},
	})
}

func TestRefusals_GroupsAndAck(t *testing.T) {
	t.Parallel()
	refused(t, []refusal{
		{"dlq groups --limit 0", exitUsage, "--limit 0: must be 1 to 1000"},
		{"dlq groups --limit 1001", exitUsage, "--limit 1001: must be 1 to 1000"},
		{"dlq groups --since 1h --until 2h", exitUsage, "--since 1h is not before --until 2h"},
		{"dlq groups ack", exitUsage, "name one cause by its fingerprint, got 0 arguments\nsee what there is: chatops dlq groups"},
		{"dlq groups mute abc123", exitUsage, "--for is missing: a mute needs an end, such as 12h"},
		{"dlq groups mute abc123 --for 0", exitUsage, `--for "0": must be a duration such as 90s, 10m, 2h or 7d`},
		{"dlq groups mute abc123 --for soon", exitUsage, `--for "soon": must be a duration such as 90s, 10m, 2h or 7d`},
		{"dlq groups note abc123", exitUsage, "give the note by --text, or --remove to take it away"},
		{"dlq groups note abc123 --text x --remove", exitUsage, "give the note by --text, or --remove to take it away"},
		{"dlq groups unmute a b", exitUsage, "name one cause by its fingerprint, got 2 arguments\nsee what there is: chatops dlq groups"},
		{"dlq groups ack zzz --yes", exitNotFound, "cause zzz: no alert has it\nsee what there is: chatops dlq groups --status all"},
		{"dlq groups mute zzz --for 1h --yes", exitNotFound, "cause zzz: no alert has it\nsee what there is: chatops dlq groups --status all"},
		{"dlq groups retry", exitUsage, "chatops dlq groups takes no arguments, got \"retry\"\nsee: chatops dlq groups --help"},
		{"dlq ack now", exitUsage, "chatops dlq ack takes no arguments, got \"now\"\nsee: chatops dlq ack --help"},
		{"dlq ack --for 1h", exitUsage, "unknown flag: --for\nsee: chatops dlq ack --help"},
	})
}

func TestRefusals_Operations(t *testing.T) {
	t.Parallel()
	refused(t, []refusal{
		{"dlq operations list --limit 0", exitUsage, "--limit 0: must be 1 to 1000"},
		{"dlq operations list --limit 1001", exitUsage, "--limit 1001: must be 1 to 1000"},
		{"dlq operations list x", exitUsage, "chatops dlq operations list takes no arguments, got \"x\"\nsee: chatops dlq operations list --help"},
		{"dlq operations show", exitUsage, "name one operation, not 0\nsee what there is: chatops dlq operations list"},
		{"dlq operations show a b", exitUsage, "name one operation, not 2\nsee what there is: chatops dlq operations list"},
		{"dlq operations show op_9", exitNotFound, "operation \"op_9\": not found\nsee what there is: chatops dlq operations list"},
		{"dlq operations failures", exitUsage, "name one operation, not 0\nsee what there is: chatops dlq operations list"},
		{"dlq operations failures op_9", exitNotFound, "operation \"op_9\": not found\nsee what there is: chatops dlq operations list"},
		{"dlq operations failures op_1 --limit 0", exitUsage, "--limit 0: must be 1 to 1000; --after shows further pages"},
		{"dlq operations failures op_1 --after zzz", exitUsage, `--after "zzz": must be the next_cursor of an earlier list`},
		{"dlq operations pause", exitUsage, "name the operations to pause\nsee what there is: chatops dlq operations list"},
		{"dlq operations resume", exitUsage, "name the operations to resume\nsee what there is: chatops dlq operations list"},
		{"dlq operations cancel", exitUsage, "name the operations to cancel\nsee what there is: chatops dlq operations list"},
		{"dlq operations rate", exitUsage, "give one operation and one rate, not 0 words"},
		{"dlq operations rate op_2", exitUsage, "give one operation and one rate, not 1 words"},
		{"dlq operations rate op_2 fast", exitUsage, `rate "fast": must be alerts a second such as 50, 50/s or 600/m, from 0.01 to 20000 a second, or max`},
		{"dlq operations rate op_2 5 --max-failures 101", exitUsage, `--max-failures "101": must be a percentage from 0 to 100, such as 20`},
		{"dlq operations cancel op_9 --yes", exitNotFound, "operation \"op_9\": not found\nsee what there is: chatops dlq operations list"},
		{"dlq operations pause op_1 --yes", exitRefused, "operation op_1 is done: it cannot be paused\nsee: chatops dlq operations show op_1"},
		{"dlq operations resume op_1 --yes", exitRefused, "operation op_1 is done: it cannot be resumed\nsee: chatops dlq operations show op_1"},
		{"dlq operations cancel op_1 --yes", exitRefused, "operation op_1 is done: it cannot be cancelled\nsee: chatops dlq operations show op_1"},
		{"dlq operations rate op_1 5 --yes", exitRefused, "operation op_1 is done: it has no pace any more\nsee: chatops dlq operations show op_1"},
		{"dlq operations pause op_3 --yes", exitRefused, "operation op_3 has halted by itself: it can be resumed or cancelled\nsee: chatops dlq operations show op_3"},
		{"dlq operations stop op_1", exitUsage, "unknown command \"stop\" for \"chatops dlq operations\"\ndid you mean: chatops dlq operations show"},
	})
}

func TestRefusals_WhatOnlyLooks(t *testing.T) {
	t.Parallel()
	refused(t, []refusal{
		{"audit list --limit 0", exitUsage, "--limit 0: must be 1 to 1000; --after shows further pages"},
		{"audit list --after x", exitUsage, `--after "x": must be the next_cursor of an earlier list`},
		{"audit list --since soon", exitUsage, `--since "soon": must be a duration (90m, 24h, 7d), a date (2026-03-01) or an RFC 3339 time (2026-03-01T08:00:00Z)`},
		{"audit list --until never", exitUsage, `--until "never": must be a duration (90m, 24h, 7d), a date (2026-03-01) or an RFC 3339 time (2026-03-01T08:00:00Z)`},
		{"audit list --since 1h --until 2h", exitUsage, "--since 1h is not before --until 2h"},
		{"audit list ola", exitUsage, "chatops audit list takes no arguments, got \"ola\"\nsee: chatops audit list --help"},
		{"audit lst", exitUsage, "unknown command \"lst\" for \"chatops audit\"\ndid you mean: chatops audit list"},
		{"whoami me", exitUsage, "chatops whoami takes no arguments, got \"me\"\nsee: chatops whoami --help"},
		{"whoami --profile stage", exitUsage, "profile is \"stage\" (--profile): no such profile; the settings file has none\nevery setting and where it comes from: chatops config view --show-origin"},
		{"doctor disk", exitUsage, "chatops doctor takes no arguments, got \"disk\"\nsee: chatops doctor --help"},
		{"doctor --check disc", exitUsage, "--check \"disc\": there is no such check\nchecks are: config, database, migrations, disk, replicas, clocks, breakers, integrations, unconfigured, queue, queue_age, failed_alerts, escalation, limits, redis, jobs, followups, uncertain_followups, consent, consent_audit"},
		{"dashboard --refresh 100ms", exitUsage, "--refresh 100ms: must be 500ms or more"},
		{"dashboard --once --plain", exitUsage, "--once looks once and changes nothing: give it without --plain and --write"},
		{"dashboard --once --write", exitUsage, "--once looks once and changes nothing: give it without --plain and --write"},
		{"dashboard -o json", exitUsage, "--output json: a dashboard goes on and on\nlook once: chatops dashboard --once -o json"},
		{"dashboard --replay x --write", exitUsage, "--replay shows the past at its own pace: give it without --write, --record and --refresh"},
		{"dashboard --replay x --record y", exitUsage, "--replay shows the past at its own pace: give it without --write, --record and --refresh"},
		{"dashboard --at 12:00", exitUsage, "--at 12:00: the moment of a record: give it with --replay"},
		{"dlq list --limit 0", exitUsage, "--limit 0: must be 1 to 1000; --after shows further pages"},
		{"dlq list -o xml", exitUsage, "invalid argument \"xml\" for \"-o, --output\" flag: must be one of table, wide, json, jsonl, yaml, csv, markdown\nsee: chatops dlq list --help"},
		{"dlq list --color maybe", exitUsage, "invalid argument \"maybe\" for \"--color\" flag: must be one of auto, always, never\nsee: chatops dlq list --help"},
		{"dlq list --stauts failed", exitUsage, "unknown flag: --stauts\ndid you mean: --status"},
		{"dlq list --after x", exitUsage, `--after "x": must be the next_cursor of an earlier list`},
		{"dlq lst", exitUsage, "unknown command \"lst\" for \"chatops dlq\"\ndid you mean: chatops dlq list"},
		{"dlq show", exitUsage, "chatops dlq show needs one alert id, got 0 arguments\nsee: chatops dlq list"},
		{"dlq show x", exitUsage, `alert id "x": must be a number`},
		{"dlq show 9", exitNotFound, "alert 9: not found\nsee: chatops dlq list --status all"},
		{"dlq stats x", exitUsage, "chatops dlq stats takes no arguments, got \"x\"\nsee: chatops dlq stats --help"},
	})
}
