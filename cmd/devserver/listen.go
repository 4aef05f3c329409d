package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/zocalo-go/zocalo/internal/doctor"
)

// An address is where the user wants to be served.
type address struct {
	host   string
	port   int // -1 unless the flag is given
	strict bool
}

func (a *address) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.host, "host", "localhost", "`name` or address to listen on; 0.0.0.0 is every network")
	cmd.Flags().IntVar(&a.port, "port", -1, "`port` to listen on (default $PORT, or 8080); 0 is any free one")
	cmd.Flags().BoolVar(&a.strict, "strict-port", false, "fail when the port is in use, instead of taking the next free one")
	cmd.Flags().Lookup("port").DefValue = "0" // which help leaves out
}

// tries is how many ports are tried when they are in use.
const tries = 100

// listen opens the port, or the next free one, of which moved then tells. env
// is the value of $PORT.
func (a *address) listen(ctx context.Context, env string) (ln *net.TCPListener, moved string, err error) {
	port := 8080
	if env != "" {
		if port, err = strconv.Atoi(env); err != nil {
			return nil, "", fmt.Errorf("PORT=%s is not a port number; set it to one, in the environment or in .env, or use --port", env)
		}
	}
	if a.port != -1 {
		port = a.port
	}
	if port < 0 || port > 65535 {
		return nil, "", usageError{fmt.Errorf("%d is not a port: ports are 0 to 65535", port)}
	}
	for next := port; next <= min(port+tries, 65535); next++ {
		ln, err = open(ctx, a.host, next)
		switch {
		case err == nil && next != port:
			return ln, fmt.Sprintf("%s, so it is %d", taken(port), next), nil
		case err == nil:
			return ln, "", nil
		case !inUse(err):
			return nil, "", err
		case a.strict:
			return nil, "", errors.New(taken(port))
		case port == 0:
			return nil, "", err
		}
	}
	return nil, "", fmt.Errorf("ports %d to %d are all in use", port, min(port+tries, 65535))
}

// taken says that a port is in use and, where it can be known, by whom.
func taken(port int) string {
	if who := doctor.Holder(port); who != "" {
		return fmt.Sprintf("port %d is in use by %s", port, who)
	}
	return fmt.Sprintf("port %d is in use", port)
}

// open listens on one port. A browser takes localhost for ::1 first: a port that
// another server has there is in use, although 127.0.0.1 would be free. On macOS
// and Windows an address may even be had when another server has the port on all
// addresses, so a server that answers is looked for, too.
func open(ctx context.Context, host string, port int) (*net.TCPListener, error) {
	var lc net.ListenConfig
	number := strconv.Itoa(port)
	if host == "localhost" {
		other, err := lc.Listen(ctx, "tcp", net.JoinHostPort("::1", number))
		if err == nil {
			other.Close()
		} else if inUse(err) {
			return nil, err
		}
		if port > 0 && answered(ctx, number) {
			return nil, syscall.EADDRINUSE
		}
		host = "127.0.0.1"
	}
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, number))
	if err != nil {
		return nil, err
	}
	return ln.(*net.TCPListener), nil
}

// answered reports whether somebody takes connections on a port of this machine.
// One that does takes them at once; where nobody does, some systems take their time
// to say so.
func answered(ctx context.Context, port string) bool {
	d := net.Dialer{Timeout: 100 * time.Millisecond}
	for _, host := range []string{"::1", "127.0.0.1"} {
		if conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port)); err == nil {
			conn.Close()
			return true
		}
	}
	return false
}

// inUse reports whether listening failed because somebody else does.
func inUse(err error) bool {
	const wsaAddrInUse = syscall.Errno(10048) // Windows has a number of its own
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddrInUse)
}

// url is what to open on this machine.
func (a *address) url(addr net.Addr) string {
	tcp := addr.(*net.TCPAddr)
	host := cmp.Or(a.host, "localhost")
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}

// network is what to open on another machine, or empty when that cannot be.
func (a *address) network(addr net.Addr) string {
	tcp := addr.(*net.TCPAddr)
	if !tcp.IP.IsUnspecified() {
		return ""
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, addr := range addrs {
		if ip, ok := addr.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return "http://" + net.JoinHostPort(ip.IP.String(), strconv.Itoa(tcp.Port))
		}
	}
	return ""
}
