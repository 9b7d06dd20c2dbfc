package drill

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

const document = "# Page\n\n## First\n\ntext\n\n```sh drill=slack-outage\n# look first\nchatops dlq list\n\nchatops dlq retry --all\n```\n\n```console\n$ chatops x\n```\n\n" +
	"## Second\n\n```sh\nchatops y\n```\n\n```sh drill=redis-loss\nredis-server --port $REDIS_PORT\n```\n"

func TestRead_FindsTheBlocksOfDrillsAlone(t *testing.T) {
	t.Parallel()
	all := Read(document)
	if len(all) != 2 {
		t.Fatalf("read %+v", all)
	}
	if s := all[0]; s.Drill != "slack-outage" || s.Section != "First" || !slices.Equal(s.Commands, []string{"chatops dlq list", "chatops dlq retry --all"}) {
		t.Errorf("read %+v", s)
	}
	if s := all[1]; s.Drill != "redis-loss" || s.Section != "Second" || len(s.Commands) != 1 {
		t.Errorf("read %+v", s)
	}
}

func TestRepair_OfADrillThatTheDocumentForgets(t *testing.T) {
	t.Parallel()
	if _, err := Repair(document, "breaker-stuck"); chatops.ErrorCode(err) != chatops.CodeNotFound || !strings.Contains(err.Error(), "breaker-stuck") {
		t.Errorf("error %v", err)
	}
	if s, err := Repair(document, "redis-loss"); err != nil || s.Section != "Second" {
		t.Errorf("read %+v, %v", s, err)
	}
}

func TestWords_AreThoseOfAShell(t *testing.T) {
	t.Parallel()
	lookup := func(name string) string { return map[string]string{"PORT": "4711", "A": "x y"}[name] }
	for command, want := range map[string]struct {
		words []string
		input string
	}{
		"":                                    {nil, ""},
		"  chatops   doctor ":                 {[]string{"chatops", "doctor"}, ""},
		"a 'b c' \"d $PORT\" '$PORT'":         {[]string{"a", "b c", "d 4711", "$PORT"}, ""},
		"redis-server --port $PORT --save ''": {[]string{"redis-server", "--port", "4711", "--save", ""}, ""},
		"x < address.txt":                     {[]string{"x"}, "address.txt"},
		"x <address.txt y":                    {[]string{"x", "y"}, "address.txt"},
		"$PORT/$NONE/$A":                      {[]string{"4711//x y"}, ""},
		"a'b'c\td":                            {[]string{"abc", "d"}, ""},
	} {
		words, input := Words(command, lookup)
		if !slices.Equal(words, want.words) || input != want.input {
			t.Errorf("%q is %q from %q, want %q from %q", command, words, input, want.words, want.input)
		}
	}
}

func TestWords_OfQuotedWordsAreTheWords(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-zA-Z0-9 $<>"#;|-]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(word, 1, 6).Draw(t, "words")
		quoted := make([]string, len(list))
		for i, w := range list {
			quoted[i] = "'" + w + "'"
		}
		got, input := Words(strings.Join(quoted, " "), func(string) string { return "never" })
		if !slices.Equal(got, list) || input != "" {
			t.Fatalf("%q came back as %q from %q", list, got, input)
		}
	})
}

func TestAll_DrillsAreDescribedAndDoNotTellTheCause(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	causes := map[string]string{
		"breaker-stuck": "breaker", "job-paused": "paused", "duplicate-followups": "constraint", "redis-loss": "Redis", "limiter-storm": "limit",
		"many-causes": "cause", "refused-payload": "Gdnask", "slow-receiver": "canary", "job-failed": "job", "uncertain-followup": "uncertain", "serve-refuses": "migration",
	}
	for _, d := range All() {
		if d.Name == "" || d.Symptom == "" || d.breakFunc == nil || d.leftFunc == nil || seen[d.Name] {
			t.Errorf("drill %+v lacks something, or exists twice", d.Name)
		}
		seen[d.Name] = true
		if cause := causes[d.Name]; cause != "" && strings.Contains(d.Symptom, cause) {
			t.Errorf("the symptom of %s tells its cause: %s", d.Name, d.Symptom)
		}
		if got, ok := Find(d.Name); !ok || got.Name != d.Name {
			t.Errorf("%s is not found", d.Name)
		}
	}
	if _, ok := Find("coffee-outage"); ok || len(Names()) != len(seen) {
		t.Error("what there is not is found")
	}
	for _, want := range []string{"slack-outage", "monday-errors", "limiter-storm", "duplicate-followups", "breaker-stuck", "redis-loss", "opt-out-race",
		"many-causes", "refused-payload", "slow-receiver", "job-failed", "uncertain-followup", "serve-refuses", "person-asks", "person-forgotten",
	} {
		if !seen[want] {
			t.Errorf("there is no drill %s", want)
		}
	}
}
