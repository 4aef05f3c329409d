package doctor

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// port checks that the app can listen.
func port(ctx context.Context, value string) Finding {
	f := Finding{Check: "port", State: Good}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 65535 {
		f.State, f.Says, f.Cure = Bad, fmt.Sprintf("PORT=%s is not a port number", value), "set PORT to a number from 1 to 65535, in the environment or in .env"
		return f
	}
	var lc net.ListenConfig
	for _, host := range []string{"127.0.0.1", ""} {
		ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, value))
		if err == nil {
			ln.Close()
			continue
		}
		f.State, f.Says = Poor, fmt.Sprintf("%d cannot be had: %v", n, err)
		f.Cure = "choose another: --port, $PORT, or PORT in .env"
		if who := Holder(n); who != "" {
			f.Says = fmt.Sprintf("%d is in use by %s", n, who)
			f.Cure = "end that program, or choose another: --port, $PORT, or PORT in .env"
		}
		return f
	}
	f.Says = fmt.Sprintf("%d is free", n)
	return f
}
