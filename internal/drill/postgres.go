package drill

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"chatops/internal/chatops"
)

// postgresProgram is what plays PostgreSQL: itself, which this program starts.
const postgresProgram = "pg_ctl"

// postgresFolders are where distributions put it, besides the path.
var postgresFolders = []string{"/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql@*/bin"}

// postgres is a private PostgreSQL in a folder, on a loopback port. It has a
// password of its own: other users of the machine may reach the port.
type postgres struct {
	program, folder, password string
	port                      int
	user                      *syscall.Credential // PostgreSQL refuses root; nil is the present user
}

// startPostgres makes and starts one. CodeUnavailable where it is not installed.
func startPostgres(ctx context.Context, folder string) (*postgres, error) {
	program, err := findPostgres()
	if err != nil {
		return nil, err
	}
	p := &postgres{program: program, folder: filepath.Join(folder, "postgresql"), password: rand.Text()}
	if p.user, err = ordinaryUser(os.Geteuid()); err != nil {
		return nil, err
	}
	if err := p.prepare(folder); err != nil {
		return nil, chatops.Errorf(chatops.CodeUnavailable, "drill: make the folder of PostgreSQL: %w", err)
	}
	ln, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	p.port = ln.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a TCP listener
	_ = ln.Close()
	options := "--auth=md5 --username=drill --pwfile=" + p.passwordFile() + " --encoding=UTF8 --no-sync"
	if err := p.run(ctx, "initdb", "--silent", "-o", options); err != nil {
		return nil, err
	}
	// What is lost with the machine is lost: a drill keeps nothing.
	options = fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off", p.port)
	if err := p.run(ctx, "start", "--silent", "--wait", "-l", filepath.Join(p.folder, "log"), "-o", options); err != nil {
		return nil, err
	}
	return p, nil
}

// findPostgres looks in the path, and where distributions put it.
func findPostgres() (string, error) {
	if program, err := exec.LookPath(postgresProgram); err == nil {
		return program, nil
	}
	for _, pattern := range postgresFolders {
		if found, err := filepath.Glob(filepath.Join(pattern, postgresProgram)); err == nil && len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", chatops.Errorf(chatops.CodeUnavailable, "drill: %s is not installed: this drill needs a PostgreSQL of its own; install Debian's postgresql", postgresProgram)
}

// ordinaryUser is who runs PostgreSQL when root plays: nil for anybody else.
func ordinaryUser(euid int) (*syscall.Credential, error) {
	if euid != 0 {
		return nil, nil //nolint:nilnil // the present user
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errors.Join(errUID, errGID) == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, chatops.Errorf(chatops.CodeUnavailable, "drill: PostgreSQL does not run as root: play this drill as another user")
}

func (p *postgres) passwordFile() string { return filepath.Join(p.folder, "password") }

// prepare makes the folder, and gives it to the user.
func (p *postgres) prepare(outer string) error {
	if err := os.Mkdir(p.folder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(p.passwordFile(), []byte(p.password+"\n"), 0o600); err != nil {
		return err
	}
	if p.user == nil {
		return nil
	}
	const passThrough = 0o711 // to its own folder; what else is there stays private
	return errors.Join(
		os.Chmod(outer, passThrough),
		os.Chown(p.passwordFile(), int(p.user.Uid), int(p.user.Gid)),
		os.Chown(p.folder, int(p.user.Uid), int(p.user.Gid)),
	)
}

// run has the program do something with the data.
func (p *postgres) run(ctx context.Context, verb string, args ...string) error {
	args = append([]string{verb, "-D", filepath.Join(p.folder, "data")}, args...)
	cmd := exec.CommandContext(ctx, p.program, args...) //nolint:gosec // found in PATH
	cmd.Dir = p.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.user}
	if err := cmd.Run(); err != nil {
		return chatops.Errorf(chatops.CodeUnavailable, "drill: %s %s: %w", postgresProgram, verb, err)
	}
	return nil
}

func (p *postgres) url() string {
	return fmt.Sprintf("postgres://drill:%s@127.0.0.1:%d/postgres?sslmode=disable", p.password, p.port)
}

// stop ends it whatever else has ended.
func (p *postgres) stop() {
	if p != nil {
		_ = p.run(context.Background(), "stop", "--silent", "--mode=immediate")
	}
}
