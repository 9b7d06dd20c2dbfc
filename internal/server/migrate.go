package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

// MigrationReport is what migrating the database has done.
type MigrationReport struct {
	Applied []string // names of the migrations, in order; none when all were applied before
	// Adoption tells what taking over an older database found and did: anything
	// that encodes as JSON; nil when there was none.
	Adoption any
}

// migrationPath is named after what it did first; older runbooks call it.
const migrationPath = "/api/migration/create-dead-letter-queue"

type migrationOutput struct{ Body migrationResult }

type migrationResult struct {
	Success  bool     `json:"success"`
	Message  string   `json:"message"`
	Applied  []string `json:"applied" nullable:"false" doc:"Migrations that this request has applied"`
	Adoption any      `json:"adoption" doc:"What taking over an older database found and did; null when there was none"`
}

// addMigration registers the endpoint under both methods: which of them an
// older runbook uses is unknown, and the secret is proof enough of the intent.
func (s *Server) addMigration() {
	for id, method := range map[string]string{"migrate": http.MethodPost, "migrate-get": http.MethodGet} {
		addOperation(s, huma.Operation{
			OperationID: id, Method: method, Path: migrationPath, Summary: "Migrate the database, as chatops migrate up does",
			Description: "Takes over the database of the older system where there is one. Can be repeated.",
			Tags:        []string{"Operation"}, Errors: []int{401, 409},
			Parameters: []*huma.Param{
				{
					Name: "X-Migration-Secret", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
					Description: "The secret of MIGRATION_SECRET; also accepted as Authorization: Bearer",
				},
				queryParam("secret", "The same. Proxies log queries: prefer the header"),
			},
		}, s.migrate)
	}
}

func (s *Server) migrate(ctx context.Context, _ *struct{}) (*migrationOutput, error) {
	x := exchangeOf(ctx)
	r := x.request
	if !s.migrationKeys.has(bearer(r), r.Header.Get("X-Migration-Secret"), r.URL.Query().Get("secret")) {
		return nil, unauthorized(x.id, "send the secret as X-Migration-Secret")
	}
	if !s.migrating.TryLock() {
		return nil, chatops.Errorf(chatops.CodeConflict, "a migration is running already")
	}
	defer s.migrating.Unlock()
	// It may take longer than other requests, and goes on when the client leaves:
	// half a migration helps nobody. A recorder in a test has no deadline.
	_ = http.NewResponseController(x).SetWriteDeadline(time.Time{})
	report, err := s.opts.MigrateFunc(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	if s.migratedFunc != nil {
		s.migratedFunc()
	}
	out := &migrationOutput{Body: migrationResult{
		Success: true, Applied: append([]string{}, report.Applied...), Adoption: report.Adoption,
		Message: "Database is up to date: nothing to do",
	}}
	if n := len(report.Applied); n > 0 {
		out.Body.Message = fmt.Sprintf("Database is up to date: %d migrations applied", n)
	}
	s.opts.Log.Info("database migrated over HTTP", "request_id", x.id, "applied", len(report.Applied))
	return out, nil
}
