package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// recorder is a store that keeps the record of consent.
type recorder interface {
	chatops.ConsentStore
	chatops.AuditStore
}

// BenchmarkAudit withdraws consent of addresses that nobody knows: each is a row
// of the chain and a suppression, in a transaction of its own. Then it verifies
// the chain. On PostgreSQL a bare insert of the same columns stands beside it.
func BenchmarkAudit(b *testing.B) {
	const rows, workers = 4000, 16
	ctx := context.Background()
	srv := durable(b)
	url := srv.Database("audit")
	file, _ := openFile(b)
	pool := connect(b, url, workers)
	server := open(b, url, workers)
	execAll(b, url, "create table bare (like consent_audit_log including all)")
	withdraw := func(s recorder, round int) float64 {
		start := time.Now()
		spread(b, workers, rows, func(i int) error {
			_, err := s.WithdrawConsent(ctx, chatops.ConsentWithdrawal{
				Action: chatops.ActionUnsubscribe, EmailKey: fmt.Sprintf("jan%d-%d@x.example", round, i),
				Origin: chatops.ConsentOrigin{IPAddress: "192.0.2.7", UserAgent: "Mozilla/5.0", Reason: "no more mail"},
			})
			return err
		})
		return rows / time.Since(start).Seconds()
	}
	bare := func(round int) float64 {
		start := time.Now()
		spread(b, workers, rows, func(i int) error {
			_, err := pool.Exec(ctx, `insert into bare (email, action, timestamp, ip_address, user_agent, reason)
				values ($1, 'unsubscribe', now(), '192.0.2.7', 'Mozilla/5.0', 'no more mail')`, fmt.Sprintf("jan%d-%d@x.example", round, i))
			return err
		})
		return rows / time.Since(start).Seconds()
	}
	appended := versus{what: "withdrawals, PostgreSQL, 16 clients", peer: "bare insert", unit: "rows/s"}
	var onFile []float64
	for round := range *rounds {
		settle(b, url)
		ours := withdraw(server, round)
		settle(b, url)
		appended.add(ours, bare(round))
		onFile = append(onFile, withdraw(file, round))
	}
	appended.report(b)
	fmt.Printf("%-34s chatops %10.1f rows/s\n", "withdrawals, SQLite, 16 clients", median(onFile))
	for name, s := range map[string]recorder{"PostgreSQL": server, "SQLite": file} {
		var speed []float64
		for range *rounds {
			start := time.Now()
			report, err := consent.Verify(ctx, s)
			if err != nil || report.Total != 0 || report.Rows != int64(rows**rounds) {
				b.Fatalf("%+v, %v", report, err)
			}
			speed = append(speed, float64(report.Rows)/time.Since(start).Seconds())
		}
		fmt.Printf("%-34s chatops %10.1f rows/s\n", "chain verified, "+name, median(speed))
	}
}
