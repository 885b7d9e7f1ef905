// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package plan

// Plan is one run.
type Plan struct {
	// Name is a title, Story one sentence on what a reader should learn from it.
	Name  string `toml:"name"`
	Story string `toml:"story,omitempty"`
	// Seed decides all chance.
	Seed uint64 `toml:"seed"`
	// Safety is how long faults and people act. Then every fault is healed and Settle is the time in
	// which the site has to come to rest.
	Safety Duration `toml:"safety"`
	Settle Duration `toml:"settle"`
	// Join makes the agents join at the beginning. Otherwise they joined long ago.
	Join bool `toml:"join,omitempty"`

	Nets     []Net     `toml:"net"`
	Edges    []Edge    `toml:"edge,omitempty"`
	Boxes    []Box     `toml:"box,omitempty"`
	Programs []Program `toml:"program,omitempty"`
	Servers  []Server  `toml:"server"`
	Agents   []Agents  `toml:"agents,omitempty"`
	Ops      []Op      `toml:"op,omitempty"`
	Faults   []Fault   `toml:"fault,omitempty"`
	Expect   Expect    `toml:"expect"`
}

// Net is one segment.
type Net struct {
	Name string `toml:"name"`
	// Prefix holds the addresses of its machines; 0.0.0.0/0 suits the internet.
	Prefix string `toml:"prefix"`
}

// Wire describes both directions of a wire.
type Wire struct {
	Latency Duration `toml:"latency,omitempty"` // one way, at least
	Jitter  Duration `toml:"jitter,omitempty"`  // on top, uniform
	Loss    float64  `toml:"loss,omitempty"`    // share of packets, 0 to 1
	Rate    Rate     `toml:"rate,omitempty"`    // 0: unlimited
	MTU     int      `toml:"mtu,omitempty"`     // bytes; larger packets vanish; 0: unlimited
}

// Edge leads from one segment to another, through boxes in this order on the way out.
type Edge struct {
	From string `toml:"from"` // the inner segment
	To   string `toml:"to"`
	Wire
	Boxes []string `toml:"boxes,omitempty"`
}

// Name is how faults call an edge: "ward-internet".
func (e Edge) Name() string { return e.From + "-" + e.To }

// The kinds of boxes.
const (
	NAT           = "nat"
	Firewall      = "firewall"
	SecurityGroup = "security-group"
	Balancer      = "balancer"
)

// Box is a middlebox. What its kind has no use for must be left out; what is left out comes from
// Preset, or from the kind's defaults.
type Box struct {
	Name   string `toml:"name"`
	Kind   string `toml:"kind"`
	Preset string `toml:"preset,omitempty"`

	// Public is a NAT's outer address, or the address of a balancer, whose name it resolves.
	Public string `toml:"public,omitempty"`
	// Idle is how long a quiet connection is remembered, Expired what its next packet gets:
	// "silence", "reset", or "pass" (a new mapping).
	Idle    Duration `toml:"idle,omitempty"`
	Expired string   `toml:"expired,omitempty"`
	// Ports are a NAT's outer ports, "1024-65535".
	Ports string `toml:"ports,omitempty"`

	// Out and In let new connections through a firewall: "any", "tcp/443", "tcp/10000-10999",
	// "tcp/443 to 203.0.113.0/24", "tcp/22 from 10.0.0.0/8". Refuse is what the others get:
	// "silence", "reset" or "unreachable".
	Out    []string `toml:"out,omitempty"`
	In     []string `toml:"in,omitempty"`
	Refuse string   `toml:"refuse,omitempty"`
	States int      `toml:"states,omitempty"` // most connections of the table; 0: no limit

	// Backends are servers and programs behind a balancer. HideClient puts the balancer's address in
	// the place of the client's. Check is how often each backend is probed, 0 for never; Up and Down
	// how many probes change the verdict.
	Backends   []string `toml:"backends,omitempty"`
	HideClient bool     `toml:"hide_client,omitempty"`
	Check      Duration `toml:"check,omitempty"`
	CheckFrom  string   `toml:"check_from,omitempty"` // address of the prober
	Up         int      `toml:"up,omitempty"`
	Down       int      `toml:"down,omitempty"`
}

// The kinds of programs.
const (
	ConnectProxy  = "connect-proxy"
	SOCKS5        = "socks5"
	TCPProxy      = "tcp-proxy"      // HAProxy "mode tcp", nginx stream
	HTTPBalancer  = "http-balancer"  // ends TLS and forwards HTTP: an application balancer
	TLSListener   = "tls-listener"   // ends TLS and forwards its bytes
	TLSInspector  = "tls-inspector"  // shows a certificate of its own to whoever passes
	CaptivePortal = "captive-portal" // answers everything itself
)

// Program is a box that ends connections, on a machine of its own.
type Program struct {
	Name   string `toml:"name"`
	Kind   string `toml:"kind"`
	Preset string `toml:"preset,omitempty"`
	On     string `toml:"on"` // segment
	Addr   string `toml:"addr,omitempty"`
	// Listen is the port; 0 for the kind's own (3128, 1080, 443, 10943).
	Listen int `toml:"listen,omitempty"`
	// To are the servers or boxes to forward to, "srv-1:10943", in turn.
	To   []string `toml:"to,omitempty"`
	Idle Duration `toml:"idle,omitempty"`
	// User and Password are asked for by proxies; Allow lists the ports that CONNECT may name.
	User     string `toml:"user,omitempty"`
	Password string `toml:"password,omitempty"`
	Allow    []int  `toml:"allow,omitempty"`
	// SendProxy is the version of the PROXY header put before each connection: 1 or 2.
	SendProxy int `toml:"send_proxy,omitempty"`
	// Takes is the edge, and Ports the far ports, whose connections an inspector or captive portal
	// takes to itself.
	Takes string `toml:"takes,omitempty"`
	Ports []int  `toml:"ports,omitempty"`
}

// Server is a machine with the server on it. The first is active; others take over.
type Server struct {
	Name string `toml:"name"`
	On   string `toml:"on"`
	Addr string `toml:"addr,omitempty"`
	Link int    `toml:"link,omitempty"` // the agents' port; 0: 10943
	// ProxyProtocolFrom lists the sources that put a PROXY header before their connections.
	ProxyProtocolFrom []string `toml:"proxy_protocol_from,omitempty"`
	Wire
}

// Agents are machines with an agent each: NAME-1, NAME-2 and so on.
type Agents struct {
	Name  string `toml:"name"`
	Count int    `toml:"count"`
	On    string `toml:"on"`
	// Target is where they call, host:port; "" is the first server. Listening agents are called.
	Target    string `toml:"target,omitempty"`
	Listening bool   `toml:"listening,omitempty"`
	// Proxy is the way there: "http://proxy:3128", "socks5://proxy:1080". Credentials are "user:password".
	Proxy       string `toml:"proxy,omitempty"`
	Credentials string `toml:"credentials,omitempty"`
	Wire
}

// The things that people do.
const (
	DoScript    = "script"    // an ad-hoc script on some machines
	DoCancel    = "cancel"    // the newest task that runs
	DoDeploy    = "deploy"    // a new version of a package, in two steps or more
	DoRedeploy  = "redeploy"  // a release from before, of the project that was deployed last
	DoHealth    = "health"    // a health check
	DoRestart   = "restart"   // the server, gracefully
	DoFailover  = "failover"  // the next server takes over with the disk of the one before
	DoRemove    = "remove"    // a machine, with its trust
	DoAnswer    = "answer"    // the questions that tasks wait with
	DoRetention = "retention" // deletes the releases that nobody needs
	DoBrowse    = "browse"    // opens a page of the portal and expects it to answer
)

// Op is something that people do at one time, or again and again.
type Op struct {
	At    Duration `toml:"at,omitempty"`
	Every Duration `toml:"every,omitempty"` // from At until Until, or the end of the safety phase
	Until Duration `toml:"until,omitempty"`
	Do    string   `toml:"do"`
	// Lasts is how long a script runs, Lines how many lines it says, Exit its code. Ignores makes it
	// deaf to TERM.
	Lasts   Duration `toml:"lasts,omitempty"`
	Lines   int      `toml:"lines,omitempty"`
	Exit    int      `toml:"exit,omitempty"`
	Ignores bool     `toml:"ignores,omitempty"`
	// Reboot makes the script, or a deployment's first step, restart its machine at its end. Restarts
	// is the step's declaration that it does (Fairlead.Action.RestartsMachine). Limit is a script's
	// time limit, in whole minutes.
	Reboot   bool     `toml:"reboot,omitempty"`
	Restarts bool     `toml:"restarts,omitempty"`
	Limit    Duration `toml:"limit,omitempty"`
	// GivesUp is for how long a script's machine may be away before it fails, in whole minutes; 0: it waits for ever.
	GivesUp Duration `toml:"gives_up,omitempty"`
	// Asks gives a deployment a manual step before its package; Choice is the answer to questions: Proceed (""), or
	// Abort. Guided asks people about each failure as well; Guidance is the answer to that: Fail (""), Retry, Ignore
	// or Exclude.
	Asks     bool   `toml:"asks,omitempty"`
	Choice   string `toml:"choice,omitempty"`
	Guided   bool   `toml:"guided,omitempty"`
	Guidance string `toml:"guidance,omitempty"`
	// Outputs makes a deployment's first step set output variables: a later step says what it sees of them, another
	// runs only where they say so. Turns gives it a step that one machine does after the other. Stumbles gives it a
	// step that fails the first time on each machine, and Retries is how often it is tried again without asking.
	Outputs  bool `toml:"outputs,omitempty"`
	Turns    bool `toml:"turns,omitempty"`
	Stumbles bool `toml:"stumbles,omitempty"`
	Retries  int  `toml:"retries,omitempty"`
	// Repaints gives a deployment's project a variable that its first and last steps say. So long after the deployment
	// was queued the variable changes, and the release takes it afresh.
	Repaints Duration `toml:"repaints,omitempty"`
	// Breaks makes the package's last script fail.
	Breaks bool `toml:"breaks,omitempty"`
	// Back is how many releases a redeployment goes back, from 1 (0); Keep how many releases retention leaves beside
	// those that are deployed, from 1 (0).
	Back int `toml:"back,omitempty"`
	Keep int `toml:"keep,omitempty"`
	// Any is on how many machines; 0: on all. On names one.
	Any int    `toml:"any,omitempty"`
	On  string `toml:"on,omitempty"`
	// Gives is the size in KB of a file that the script, or a deployment's first step, hands over at its end.
	Gives int `toml:"gives,omitempty"`
	// KB is the size of a package, URL the page to browse.
	KB  int    `toml:"kb,omitempty"`
	URL string `toml:"url,omitempty"`
}

// Fault is something that goes wrong.
type Fault struct {
	At Duration `toml:"at"`
	// For is when it heals by itself; 0: at the end of the safety phase.
	For  Duration `toml:"for,omitempty"`
	Kind string   `toml:"kind"`
	// On names an edge, a box, a program, a server, a machine, a group of agents, or "all"; "" is the
	// only thing of its sort, or the first.
	On string `toml:"on,omitempty"`

	Delay  Duration `toml:"delay,omitempty"`
	Jitter Duration `toml:"jitter,omitempty"`
	Loss   float64  `toml:"loss,omitempty"`
	Rate   Rate     `toml:"rate,omitempty"`
	MTU    int      `toml:"mtu,omitempty"`
	Way    string   `toml:"way,omitempty"` // "up" or "down": one direction alone
	Addr   string   `toml:"addr,omitempty"`
	By     Duration `toml:"by,omitempty"` // how far a clock goes wrong
	// Point makes a crash wait until the program passes this place; Nth counts the passes, from 1.
	Point string `toml:"point,omitempty"`
	Nth   int    `toml:"nth,omitempty"`
}

// Expect is what the run is judged by, beside the invariants that hold always.
type Expect struct {
	// Online is how many agents are on line at the end: "all" (unless said otherwise), "none", or
	// "any" where it is not the point.
	Online string `toml:"online,omitempty"`
	// AgentSays and ServerSays are causes that the two ends must have named.
	AgentSays  []string `toml:"agent_says,omitempty"`
	ServerSays []string `toml:"server_says,omitempty"`
	// Within overrides bounds of liveness: L1 = "90s".
	Within map[string]Duration `toml:"within,omitempty"`
	// Sometimes lists goals that this very run must reach; Lost is how many lines may be lost at the
	// most, -1 for any number.
	Sometimes []string `toml:"sometimes,omitempty"`
	Lost      *int     `toml:"lost,omitempty"`
}
