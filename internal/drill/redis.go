package drill

import (
	"context"
	"net"
	"os/exec"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// redisProgram is what plays Redis: itself.
const redisProgram = "redis-server"

// redis is a private Redis on a port that stays the same.
type redis struct{ port int }

// startRedis starts one. CodeUnavailable where it is not installed.
func startRedis(ctx context.Context, folder string) (*redis, error) {
	program, err := exec.LookPath(redisProgram)
	if err != nil {
		return nil, chatops.Errorf(chatops.CodeUnavailable, "drill: %s is not installed: this drill stops a real one; install Debian's redis-server", redisProgram)
	}
	ln, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	port := ln.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a TCP listener
	_ = ln.Close()
	r := &redis{port: port}
	// It detaches, as the one that the engineer starts will: both are stopped by
	// their port.
	cmd := exec.CommandContext(ctx, program, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, "--daemonize", "yes") //nolint:gosec // found in PATH
	if err := cmd.Run(); err != nil {
		return nil, chatops.Errorf(chatops.CodeUnavailable, "drill: start %s: %w", redisProgram, err)
	}
	err = await(ctx, "Redis answering", func() (bool, error) { return r.says(ctx, "PING") == nil, nil })
	return r, err
}

// Command carries out a command of a repair that is not one of this program's.
// CodeInvalid for any but those that a drill needs.
func (r *Range) Command(ctx context.Context, words []string) error {
	if len(words) == 0 || words[0] != redisProgram || r.redis == nil {
		return chatops.Errorf(chatops.CodeInvalid, "drill: %q is no command of a drill", words)
	}
	words = append(words, "--dir", r.Folder, "--bind", "127.0.0.1")
	if err := exec.CommandContext(ctx, words[0], words[1:]...).Run(); err != nil { //nolint:gosec // redis-server alone
		return chatops.Errorf(chatops.CodeUnavailable, "drill: start %s: %w", redisProgram, err)
	}
	return nil
}

// says sends a command and waits for some answer, or the end.
func (r *redis) says(ctx context.Context, command string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(r.port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 64))
	return err
}

// end ends it, whoever has started it.
func (r *redis) end(ctx context.Context) { _ = r.says(ctx, "SHUTDOWN NOSAVE") }

// stop ends it whatever else has ended.
func (r *redis) stop() {
	if r != nil {
		r.end(context.Background())
	}
}
