package runbook

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/drill"
)

func TestDrillList_NamesSymptomAndSection(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.Operations = "## Alerts are late\n\n```sh drill=slack-outage\nchatops dlq list\n```\n"
	c.must(exitOK, "drill list -o json")
	var list struct {
		Drills []drillItem `json:"drills"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Drills) != len(drill.All()) || list.Drills[0].Name != "slack-outage" || list.Drills[0].Section != "Alerts are late" || list.Drills[1].Section != "" {
		t.Errorf("drills are %+v", list.Drills)
	}
	c.must(exitOK, "drill list -o wide")
	if !strings.Contains(c.out.String(), "Alerts are late") {
		t.Errorf("the section is not shown:\n%s", &c.out)
	}
}

func TestDrill_IsNamedWell(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitUsage, "drill")
	c.says("name one drill", "chatops drill list")
	c.must(exitUsage, "drill a b")
	c.must(exitNotFound, "drill coffee-outage")
	c.says(`drill "coffee-outage": not found`, "known are: slack-outage")
}

// idle is a console whose service listens and does nothing.
func idle(t *testing.T) *console {
	t.Helper()
	c := newConsole(t, newFakeStore())
	c.ServeFunc = func(ctx context.Context, _ *config.Config, _ ReloadFunc, log *slog.Logger) error {
		log.Info("serving", "address", "127.0.0.1:1")
		<-ctx.Done()
		return nil
	}
	return c
}

func TestDrill_ThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	c := idle(t)
	folder := ""
	c.OpenStoreFunc = func(_ context.Context, cfg *config.Config, _ *slog.Logger) (chatops.Store, error) {
		folder = filepath.Dir(cfg.DatabaseURL.Host())
		return nil, chatops.Errorf(chatops.CodeInterrupted, "interrupted")
	}
	c.must(exitInterrupted, "drill slack-outage")
	if _, err := os.Stat(folder); folder == "" || !os.IsNotExist(err) {
		t.Errorf("the folder %q is left: %v", folder, err)
	}
}

func TestDrill_AServiceThatDoesNotStartIsToldWhy(t *testing.T) {
	t.Parallel()
	c := idle(t)
	c.ServeFunc = func(context.Context, *config.Config, ReloadFunc, *slog.Logger) error {
		return chatops.Errorf(chatops.CodeUnavailable, "no room on the disk")
	}
	c.must(exitUnavailable, "drill slack-outage --auto")
	c.says("no room on the disk")
}

func TestDrill_NotesWhatIsTypedWithoutSecrets(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	folder := t.TempDir()
	c.vars[drillVariable] = folder
	c.must(exitOK, "dlq stats")
	c.must(exitOK, "dlq list --database-url postgres://app:"+dbPassword+"@db/x")
	raw, err := os.ReadFile(filepath.Join(folder, commandsFile))
	if err != nil {
		t.Fatal(err)
	}
	want := "2026-03-10T12:00:00Z chatops dlq stats\n2026-03-10T12:00:00Z chatops dlq list --database-url [redacted]\n"
	if string(raw) != want {
		t.Errorf("noted is %q, want %q", raw, want)
	}
	d, _ := drill.Find("slack-outage")
	x := &exercise{env: c.Env, drill: &d, rng: &drill.Range{Folder: folder}, told: noon.Add(-90 * time.Second)}
	commands, detect := x.typed()
	if len(commands) != 2 || detect == nil || *detect != 90 {
		t.Errorf("typed are %q, detected after %v", commands, detect)
	}
	x.rng = &drill.Range{Folder: t.TempDir()}
	if commands, detect := x.typed(); len(commands) != 0 || commands == nil || detect != nil {
		t.Errorf("without a command: %v, %v", commands, detect)
	}
	c.vars[drillVariable] = filepath.Join(folder, "gone") // nobody stumbles over it
	c.must(exitOK, "dlq stats")
}

func TestDrill_TheTerminalForgetsItsRealSettings(t *testing.T) {
	t.Parallel()
	x := &exercise{
		vars: map[string]string{"DATABASE_URL": "sqlite:///tmp/x y/chatbot.db", "PORT": "0"},
		rng:  &drill.Range{Folder: "/tmp/x y"},
	}
	script := x.exports()
	for _, want := range []string{
		"export DATABASE_URL='sqlite:///tmp/x y/chatbot.db'\n", "export PORT=0\n", "unset REDIS_URL REDIS_URL_FILE\n", "unset ADMIN_API_KEY ADMIN_API_KEY_FILE\n", "unset CHATOPS_PROFILE",
		"export PATH='/tmp/x y/bin':\"$PATH\"\n",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("the script lacks %q:\n%s", want, script)
		}
	}
	if strings.Contains(script, "unset DATABASE_URL ") {
		t.Error("the script takes away what it gives")
	}
}

// Whoever has just built the program may not have it on the path.
func TestDrill_ItsTerminalFindsTheProgram(t *testing.T) {
	t.Parallel()
	x := &exercise{rng: &drill.Range{Folder: t.TempDir()}}
	if err := x.link(); err != nil {
		t.Fatal(err)
	}
	want, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(filepath.Join(x.commands(), "chatops")); err != nil || got != want {
		t.Errorf("chatops is %q, %v; want %q", got, err, want)
	}
	if err := x.link(); err == nil || strings.Contains(err.Error(), "%!") {
		t.Errorf("linked twice: %v", err)
	}
}

// What was done wrongly for good ends a drill at once: nobody waits half an hour
// for what cannot come.
func TestDrill_ThatIsSpoiltEndsAndSaysWhy(t *testing.T) {
	t.Parallel()
	discarded := make([]chatops.AlertStatus, 13)
	for i := range discarded {
		discarded[i] = chatops.AlertDiscarded
	}
	store := newFakeStore(discarded...)
	d, _ := drill.Find("many-causes")
	r, err := drill.Open(t.Context(), &d, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.Store = store
	x := &exercise{env: newConsole(t, store).Env, drill: &d, rng: r, told: noon}
	res, err := x.wait(t.Context(), false)
	if err != nil || res.Repaired || res.Repair != nil || !strings.Contains(res.Left, "13 alerts were discarded") {
		t.Errorf("it ended with %+v, %v", res, err)
	}
}
