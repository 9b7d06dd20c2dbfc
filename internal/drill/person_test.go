package drill

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestKnown_IsSomebodyWithAConversationAndALead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"person-asks", "person-forgotten"} {
		r, _ := running(t, name)
		all := statements(r)
		if evidence := mustBreak(t, r); evidence != "" {
			t.Errorf("it shows %q", evidence)
		}
		for i, want := range []string{"insert into chat_conversations", "insert into chat_messages", "insert into leads"} {
			if len(*all) != 3 || !strings.HasPrefix((*all)[i], want) {
				t.Fatalf("the database is told %q", *all)
			}
		}
		if !strings.Contains((*all)[1], question) || !strings.Contains((*all)[2], person) || !strings.Contains((*all)[2], boardItem) {
			t.Errorf("the database is told %q", *all)
		}
	}
}

func TestPersonAsks_IsAnsweredByAWholeCopyThatIsOnRecord(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"anna.json", "anna.csv"} {
		r, i := running(t, "person-asks")
		file := filepath.Join(r.Folder, name)
		wantLeft(t, r, "there is no copy of what she has said")
		write(t, file, `{"subject":"a***@f***.example"}`)
		wantLeft(t, r, "there is no copy of what she has said")
		write(t, file, `{"messages":["`+question+`"]}`)
		wantLeft(t, r, "a copy is there, and that it was made is not on record")
		i.looks = []chatops.AccessEntry{{Command: "consent lookup"}}
		wantLeft(t, r, "a copy is there, and that it was made is not on record")
		i.looks = append(i.looks, chatops.AccessEntry{Command: "consent export"})
		wantLeft(t, r, "")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPersonAsks_ACopyThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	r, _ := running(t, "person-asks")
	if err := os.Mkdir(filepath.Join(r.Folder, "anna.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if left, err := r.drill.Left(t.Context(), r); chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Errorf("left %q, %v", left, err)
	}
}

func TestPersonForgotten_IsForgottenHereAndOnTheBoard(t *testing.T) {
	t.Parallel()
	r, i := running(t, "person-forgotten")
	i.known = &chatops.Person{Leads: []chatops.Lead{{}}}
	wantLeft(t, r, "she is still stored")
	i.known = &chatops.Person{Conversations: []chatops.PersonConversation{{}}}
	wantLeft(t, r, "she is still stored")
	i.known = nil
	wantSpoilt(t, r, "her rows are gone, and nothing keeps us from writing to her again")
	i.known = &chatops.Person{Audit: []chatops.AuditEntry{{}}} // deleted by hand
	wantSpoilt(t, r, "her rows are gone, and nothing keeps us from writing to her again")
	i.known = &chatops.Person{Suppression: &chatops.Suppression{}} // all that is kept of her
	wantLeft(t, r, "the board still has her")
	_, text := post(t, r.Settings()["MONDAY_API_URL"], `{"query":"mutation { delete_item }","variables":{"item":"`+boardItem+`"}}`)
	if text != `{"data":{"delete_item":{"id":"`+boardItem+`"}}}` {
		t.Errorf("the board answers %s", text)
	}
	wantLeft(t, r, "")
}

func TestMonday_RemovesWhatItIsTold(t *testing.T) {
	t.Parallel()
	r := open(t, "person-forgotten")
	url := r.Settings()["MONDAY_API_URL"]
	remove := `{"query":"mutation { delete_item }","variables":{"item":"7"}}`
	r.monday.fail(true)
	if _, text := post(t, url, remove); r.monday.removed("7") {
		t.Errorf("while it is broken it removes, and says %s", text)
	}
	r.monday.fail(false)
	post(t, url, remove)
	if !r.monday.removed("7") || r.monday.removed("8") {
		t.Error("it removed something else")
	}
}
