// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
)

// block is a block of a pcapng file.
type block struct {
	kind uint32
	body []byte
}

// readBlocks is a reader of its own: it shares nothing with the writer but the standard.
func readBlocks(t *testing.T, file []byte) (blocks []block) {
	t.Helper()
	le := binary.LittleEndian
	for len(file) > 0 {
		if len(file) < 12 {
			t.Fatalf("%d bytes are left over", len(file))
		}
		size := int(le.Uint32(file[4:]))
		if size%4 != 0 || size < 12 || size > len(file) || le.Uint32(file[size-4:]) != uint32(size) {
			t.Fatalf("block %d has length %d of %d left, and %d at its end", len(blocks), size, len(file), le.Uint32(file[size-4:]))
		}
		blocks = append(blocks, block{le.Uint32(file), file[8 : size-4]})
		file = file[size:]
	}
	return blocks
}

// options of a block whose fixed part takes skip bytes, by code.
func (b block) options(t *testing.T, skip int) map[uint16]string {
	t.Helper()
	found := map[uint16]string{}
	for rest := b.body[skip:]; ; {
		code, size := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
		if code == 0 {
			return found
		}
		found[code] = string(rest[4 : 4+size])
		rest = rest[4+(size+3)&^3:]
	}
}

// seen is a packet of a file.
type seen struct {
	at            time.Time
	face, comment string
	inbound       bool
	from, to      netip.AddrPort
	protocol      byte
	flags         byte
	seq, ack      uint32
	payload       []byte
}

// readCapture reads a whole file and checks every sum in it.
func readCapture(t *testing.T, file []byte) (head string, secrets string, packets []seen) {
	t.Helper()
	le := binary.LittleEndian
	var faces []string
	for i, b := range readBlocks(t, file) {
		switch b.kind {
		case 0x0A0D0D0A:
			if i != 0 || le.Uint32(b.body) != 0x1A2B3C4D {
				t.Fatalf("block %d begins a section, byte order %x", i, b.body[:4])
			}
			head = b.options(t, 16)[1]
		case 1:
			options := b.options(t, 8)
			if options[9] != "\x09" || le.Uint16(b.body) != 101 {
				t.Fatalf("interface %q has resolution %q and link type %d", options[2], options[9], le.Uint16(b.body))
			}
			faces = append(faces, options[2])
		case 10:
			secrets = string(b.body[8 : 8+le.Uint32(b.body[4:])])
		case 6:
			size := int(le.Uint32(b.body[12:]))
			one := readPacket(t, b.body[20:20+size])
			one.face = faces[le.Uint32(b.body)]
			one.at = time.Unix(0, int64(uint64(le.Uint32(b.body[4:]))<<32|uint64(le.Uint32(b.body[8:]))))
			options := b.options(t, 20+(size+3)&^3)
			one.comment, one.inbound = options[1], options[2][0] == 1
			packets = append(packets, one)
		}
	}
	return head, secrets, packets
}

func readPacket(t *testing.T, b []byte) seen {
	t.Helper()
	be := binary.BigEndian
	if b[0] != 0x45 || int(be.Uint16(b[2:])) != len(b) || onesSum(b[:20]) != 0xffff {
		t.Fatalf("IPv4 header %x of a packet of %d bytes", b[:20], len(b))
	}
	from, to := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	if b[9] == 1 {
		if onesSum(b[20:]) != 0xffff {
			t.Fatalf("ICMP %x has a wrong sum", b[20:])
		}
		return seen{protocol: 1, from: netip.AddrPortFrom(from, 0), to: netip.AddrPortFrom(to, 0), payload: b[28:]}
	}
	pseudo := slices.Concat(b[12:20], []byte{0, 6}, be.AppendUint16(nil, uint16(len(b)-20)), b[20:])
	if onesSum(pseudo) != 0xffff {
		t.Fatalf("TCP segment %v > %v has a wrong sum", from, to)
	}
	return seen{
		protocol: 6, from: netip.AddrPortFrom(from, be.Uint16(b[20:])), to: netip.AddrPortFrom(to, be.Uint16(b[22:])),
		seq: be.Uint32(b[24:]), ack: be.Uint32(b[28:]), flags: b[33], payload: b[20+int(b[32]>>4)*4:],
	}
}

func onesSum(b []byte) (sum uint32) {
	for i, x := range b {
		sum += uint32(x) << (8 * (1 - i%2))
		sum = sum&0xffff + sum>>16
	}
	return sum
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

const spoken = "what only the two ends should know"

// bigBytes is more than one IPv4 packet holds.
const bigBytes = 150_000

// talk lets two machines behind boxes talk TLS while the path breaks once, and knock where nobody
// answers.
func talk(t *testing.T, capture *netem.Capture, boxes ...netem.Box) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPair(netem.Options{Seed: 4, Wait: synctest.Wait, Capture: capture}, boxes...)
		defer p.w.Close()
		if _, err := p.a.DialContext(t.Context(), "tcp", "b:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a shut port: %v", err)
		}
		if _, err := p.a.DialContext(t.Context(), "tcp", "10.0.0.77:80"); !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("no such host: %v", err)
		}
		listener, err := p.b.Listen(t.Context(), "tcp", ":10943")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		dialled, err := p.a.DialContext(t.Context(), "tcp", "b:10943")
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		client := tls.Client(dialled, &tls.Config{InsecureSkipVerify: true})
		server := tls.Server(accepted, &tls.Config{
			Certificates: []tls.Certificate{certificate(t)}, KeyLogWriter: capture.KeyLog(), SessionTicketsDisabled: true,
		})
		heard := make(chan error, 1)
		go func() {
			got := make([]byte, len(spoken)+bigBytes)
			_, err := io.ReadFull(server, got)
			heard <- errors.Join(err, server.Close())
		}()
		if err := client.Handshake(); err != nil {
			t.Fatal(err)
		}
		heal := p.w.Inject(netem.Cut{Edge: p.edge})
		p.w.At(p.w.Now()+time.Second, "heal", heal)
		if _, err := io.WriteString(client, spoken+strings.Repeat(".", bigBytes)); err != nil {
			t.Fatal(err)
		}
		if err := <-heard; err != nil {
			t.Error(err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Minute)
	})
}

func write(t *testing.T, c *netem.Capture) []byte {
	t.Helper()
	var file bytes.Buffer
	n, err := c.WriteTo(&file)
	if err != nil || n != int64(file.Len()) {
		t.Fatalf("wrote %d of %d bytes, %v", n, file.Len(), err)
	}
	return file.Bytes()
}

func newTestNAT() *netem.NAT {
	return netem.NewNAT(netem.NATSpec{
		Public: netip.MustParseAddr("203.0.113.7"), Established: 4 * time.Minute, Expired: netem.Silence,
	})
}

// conversation checks that the packets of one direction of a connection carry consecutive bytes,
// and returns how many, and how many came more than once.
func conversation(t *testing.T, packets []seen, from, to netip.AddrPort) (sum, again int) {
	t.Helper()
	begun := false
	var first, next, ends uint32
	for _, p := range packets {
		if p.from != from || p.to != to || p.protocol != 6 || p.flags&4 != 0 {
			continue
		}
		size := uint32(len(p.payload))
		switch {
		case p.flags&2 != 0:
			if begun && p.seq+1 != first {
				t.Fatalf("%v > %v begins twice", from, to)
			}
			first, next, begun = p.seq+1, p.seq+1, true
		case !begun:
			t.Fatalf("%v > %v begins without SYN", from, to)
		case p.seq == next:
			next += size + uint32(p.flags&1)
			ends += uint32(p.flags & 1)
		case size > 0 && p.seq-first+size <= next-first:
			again++
		case size > 0, p.seq-first+1 < next-first: // one less is a probe, more an answer while bytes are missing
			t.Fatalf("%v > %v: bytes from %d on, %d was next", from, to, p.seq-first, next-first)
		}
	}
	return int(next - first - ends), again
}

func TestCaptureHoldsWholeConversations(t *testing.T) {
	for name, box := range map[string][]netem.Box{"direct": nil, "nat": {newTestNAT()}} {
		t.Run(name, func(t *testing.T) {
			capture := &netem.Capture{Comment: "two machines"}
			talk(t, capture, box...)
			head, secrets, packets := readCapture(t, write(t, capture))
			if !strings.HasPrefix(head, "two machines; ") || strings.Count(secrets, "\n") != 4 {
				t.Errorf("comment %q, secrets %q", head, secrets)
			}
			inside := netip.MustParseAddr("10.0.0.1")
			far := netip.MustParseAddrPort("198.51.100.2:10943")
			near := slices.IndexFunc(packets, func(p seen) bool { return p.from.Addr() == inside && p.to == far })
			if near < 0 {
				t.Fatalf("nothing from %v to %v", inside, far)
			}
			up, again := conversation(t, packets, packets[near].from, far)
			down, _ := conversation(t, packets, far, packets[near].from)
			if up < bigBytes || down < 500 || again == 0 {
				t.Errorf("%d bytes up, %d down, %d packets came again", up, down, again)
			}
			if box == nil {
				return
			}
			// The far end saw another address, and nothing of what was lost before the gateway.
			out := slices.IndexFunc(packets, func(p seen) bool { return p.to == far && p.face == "b" })
			outside, again := conversation(t, packets, packets[out].from, far)
			if packets[out].from.Addr().String() != "203.0.113.7" || outside != up || again != 0 || !packets[out].inbound {
				t.Errorf("b saw %+v, %d bytes of %d, %d again", packets[out], outside, up, again)
			}
		})
	}
}

func TestCaptureTellsWhatBecameOfPackets(t *testing.T) {
	capture := &netem.Capture{}
	talk(t, capture)
	_, _, packets := readCapture(t, write(t, capture))
	var dropped, reset, unreachable, fins int
	for i, p := range packets {
		if i > 0 && p.at.Before(packets[i-1].at) {
			t.Errorf("packet %d is older than the one before", i)
		}
		switch {
		case p.comment == "dropped: lan-internet cut":
			dropped++
		case p.flags&4 != 0 && p.from.Port() == 81:
			reset++
		case p.protocol == 1 && p.to.Addr().String() == "10.0.0.1" && strings.Contains(p.comment, "no host 10.0.0.77"):
			unreachable++
		}
		fins += int(p.flags & 1)
	}
	if dropped < 2 || reset != 1 || unreachable != 1 || fins < 2 {
		t.Errorf("%d dropped, %d reset, %d unreachable, %d ends: want some, 1, 1, two or more", dropped, reset, unreachable, fins)
	}
}

// TestCaptureOfAMachineThatIsOff shows that the comment stands on the packet that was sent, though
// it was lost only when it arrived.
func TestCaptureOfAMachineThatIsOff(t *testing.T) {
	capture := &netem.Capture{}
	synctest.Test(t, func(t *testing.T) {
		p := newPair(netem.Options{Seed: 1, Wait: synctest.Wait, Capture: capture}, newTestNAT())
		defer p.w.Close()
		p.w.Inject(netem.Off{Host: p.b})
		if _, err := p.a.DialContext(t.Context(), "tcp", "b:80"); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("dial: %v", err)
		}
	})
	_, _, packets := readCapture(t, write(t, capture))
	if len(packets) != 7 { // the SYN and six more tries
		t.Errorf("%d packets", len(packets))
	}
	for _, p := range packets {
		if p.comment != "dropped: b off" || p.face != "a" {
			t.Errorf("packet on %s with comment %q", p.face, p.comment)
		}
	}
}

// TestCaptureOfBoxesThatActByThemselves shows what a clog held back, once, and what a gateway says
// when it forgets a connection.
func TestCaptureOfBoxesThatActByThemselves(t *testing.T) {
	capture := &netem.Capture{}
	synctest.Test(t, func(t *testing.T) {
		nat := netem.NewNAT(netem.NATSpec{Public: netip.MustParseAddr("203.0.113.7"), Established: 10 * time.Second, ResetBoth: true})
		p := newPair(netem.Options{Seed: 1, Wait: synctest.Wait, Capture: capture}, nat)
		defer p.w.Close()
		dialled, accepted := p.connect(t)
		heal := p.w.Inject(netem.Clog{Edge: p.edge, OnlyUp: true})
		if _, err := io.WriteString(dialled, "late"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		heal()
		var got [4]byte
		if _, err := io.ReadFull(accepted, got[:]); err != nil || string(got[:]) != "late" {
			t.Errorf("read %q, %v", got, err)
		}
		for _, end := range []net.Conn{dialled, accepted} {
			if _, err := end.Read(got[:]); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("after the gateway forgot: %v", err)
			}
		}
	})
	_, _, packets := readCapture(t, write(t, capture))
	var late []string
	told := map[string]int{}
	for _, p := range packets {
		if string(p.payload) == "late" {
			late = append(late, p.face+" "+p.comment)
		}
		if p.comment == "sent by a box: lan-internet" && p.flags&4 != 0 {
			told[p.face]++
		}
	}
	if want := []string{"a held back: lan-internet clog", "b "}; !slices.Equal(late, want) {
		t.Errorf("the bytes stand on %q, want %q", late, want)
	}
	if told["a"] != 1 || told["b"] != 1 {
		t.Errorf("the gateway told %v", told)
	}
}

func TestCaptureEndsAtItsLimit(t *testing.T) {
	const limit = 20 << 10
	capture := &netem.Capture{Limit: limit, Comment: "short"}
	talk(t, capture)
	file := write(t, capture)
	head, _, packets := readCapture(t, file)
	last := packets[len(packets)-1].comment
	want := fmt.Sprintf("%d later packets are missing", capture.Missing())
	if len(file) > limit || capture.Missing() == 0 || !strings.Contains(head, want) || !strings.Contains(last, want) {
		t.Errorf("%d bytes, %d packets missing; head %q, last packet %q", len(file), capture.Missing(), head, last)
	}
	whole := &netem.Capture{}
	talk(t, whole)
	if file := write(t, whole); whole.Missing() != 0 || len(file) < bigBytes {
		t.Errorf("without a limit: %d bytes, %d packets missing", len(file), whole.Missing())
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, net.ErrClosed }

func TestCaptureThatCannotBeWritten(t *testing.T) {
	capture := &netem.Capture{}
	talk(t, capture)
	if _, err := capture.WriteTo(brokenWriter{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

// TestTsharkReadsTheCapture asks the tool that people will open the file with.
func TestTsharkReadsTheCapture(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: the capture was read by our own reader only")
	}
	for name, box := range map[string][]netem.Box{"direct": nil, "nat": {newTestNAT()}} {
		t.Run(name, func(t *testing.T) {
			capture := &netem.Capture{}
			talk(t, capture, box...)
			path := filepath.Join(t.TempDir(), "run.pcapng")
			if err := os.WriteFile(path, write(t, capture), 0o600); err != nil {
				t.Fatal(err)
			}
			ask := func(args ...string) string {
				args = append([]string{"-n", "-r", path, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"}, args...)
				out, err := exec.CommandContext(t.Context(), tshark, args...).Output()
				if err != nil {
					t.Fatalf("tshark %v: %v", args, err)
				}
				return string(out)
			}
			follow := []string{"-q"}
			for _, stream := range tsharkPackets(t, ask) {
				follow = append(follow, "-z", "follow,tls,ascii,"+stream)
			}
			if plain := ask(follow...); strings.Count(plain, spoken) != 1+len(box) {
				t.Errorf("tshark decrypts %d of %d conversations:\n%.600s", strings.Count(plain, spoken), 1+len(box), plain)
			}
		})
	}
}

// tsharkPackets checks what tshark thinks of each packet and returns the conversations with the open
// port.
func tsharkPackets(t *testing.T, ask func(...string) string) (streams []string) {
	t.Helper()
	sound, again, dropped := 0, 0, 0
	fields := []string{
		"_ws.malformed", "ip.checksum.status", "tcp.checksum.status", "icmp.checksum.status", "tcp.analysis.retransmission",
		"frame.comment", "frame.interface_name", "tcp.flags.syn", "tcp.dstport", "tcp.stream",
	}
	args := []string{"-T", "fields", "-E", "separator=|"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	for line := range strings.Lines(ask(args...)) {
		value := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if len(value) != len(fields) {
			t.Fatalf("tshark says %q, want %d values", line, len(fields))
		}
		if value[0] != "" || strings.HasPrefix(value[1], "0") || value[2] == "0" || value[3] == "0" {
			t.Errorf("tshark complains of %q", line)
		}
		if value[2] == "1" {
			sound++
		}
		if value[4] != "" {
			again++
		}
		if strings.Contains(value[5], "dropped: lan-internet cut") && value[6] != "" {
			dropped++
		}
		if value[7] == "1" && value[8] == "10943" {
			streams = append(streams, value[9])
		}
	}
	if sound < 20 || again == 0 || dropped == 0 || len(streams) == 0 {
		t.Errorf("tshark sees %d sound packets, %d again, %d dropped, streams %q", sound, again, dropped, streams)
	}
	return streams
}
