// The router nexus for the comparison: one realm that anybody may join, one listener for WebSocket
// and one for RawSocket, each with JSON, MessagePack and CBOR.
//
// All is nexus' default except the outgoing queue of a session, which is set by a flag: nexus drops
// what finds the queue full, and its default of 64 messages is shorter than the load has in flight.
//
// Deliberately absent: TLS, authentication, a configuration file.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/gammazero/nexus/v3/router"
	"github.com/gammazero/nexus/v3/wamp"
)

const module = "github.com/gammazero/nexus/v3"

func main() {
	websocket := flag.String("websocket", "127.0.0.1:8081", "where to listen for WebSocket")
	rawsocket := flag.String("rawsocket", "127.0.0.1:8082", "where to listen for RawSocket")
	realm := flag.String("realm", "realm1", "the realm")
	queue := flag.Int("queue", 1024, "messages that wait for one session at most")
	version := flag.Bool("version", false, "print versions and end")
	flag.Parse()
	if *version {
		fmt.Println(versions())
		return
	}
	if err := run(*realm, *websocket, *rawsocket, *queue); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run serves until the process is told to end.
func run(realm, websocket, rawsocket string, queue int) error {
	config := &router.Config{
		RealmConfigs: []*router.RealmConfig{{URI: wamp.URI(realm), AnonymousAuth: true}},
	}
	nexus, err := router.NewRouter(config, log.New(os.Stderr, "", 0))
	if err != nil {
		return err
	}
	defer nexus.Close()

	web := router.NewWebsocketServer(nexus)
	web.OutQueueSize = queue
	webListener, err := web.ListenAndServe(websocket)
	if err != nil {
		return err
	}
	defer closeListener(webListener)

	raw := router.NewRawSocketServer(nexus)
	raw.OutQueueSize = queue
	rawListener, err := raw.ListenAndServe("tcp", rawsocket)
	if err != nil {
		return err
	}
	defer closeListener(rawListener)

	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	<-end
	return nil
}

// closeListener closes a listener; the process ends anyway, so a failure has no consequence.
func closeListener(listener io.Closer) { _ = listener.Close() }

// versions names nexus and the Go that built it, as the binary itself tells them.
func versions() string {
	nexus := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				nexus = dependency.Version
			}
		}
	}
	return fmt.Sprintf("nexus %s (%s)", nexus, runtime.Version())
}
