// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"fairlead/internal/errkind"
)

const (
	// MaxCertificateBytes is the longest certificate a peer may present.
	MaxCertificateBytes = 16 << 10
	// MinRSABits is the shortest RSA key of a peer.
	MinRSABits = 3072
	// MaxRSABits is the longest: checking a signature costs the square of the length.
	MaxRSABits = 8192
	// RestrictedDays is how long after its certificate's end an agent may still come, to rotate
	// its key and for nothing else.
	RestrictedDays = 30
	// maxNewDays is the longest validity of a certificate that joins: ours and a day of slack.
	maxNewDays = CertificateDays + 1

	day         = 24 * time.Hour
	rsaExponent = 65537
	dateLayout  = "2006-01-02"
)

// Access is how much a peer may do.
type Access uint8

// The levels. The zero value refuses.
const (
	Refused    Access = iota
	Restricted        // exchange of keys and bundles only; never an order, a package or a secret
	Full
)

// String names the level.
func (a Access) String() string {
	switch a {
	case Full:
		return "full"
	case Restricted:
		return "restricted"
	}
	return "refused"
}

// Ruling is what the policy says of a certificate. Reason is a clause for people; it is set
// whenever Access is not Full, and is a warning when Access is Full.
type Ruling struct {
	Access Access
	Reason string
}

func refuse(format string, args ...any) Ruling { return Ruling{Refused, fmt.Sprintf(format, args...)} }

// checkChainSize applies the caps that need no look inside. Errors: Untrusted.
func checkChainSize(chain [][]byte) error {
	if len(chain) != 1 {
		return errkind.Untrusted.Errorf("peer presents %d certificates: want exactly one", len(chain))
	}
	if size := len(chain[0]); size > MaxCertificateBytes {
		return errkind.Untrusted.Errorf("peer's certificate has %d bytes: limit is %d", size, MaxCertificateBytes)
	}
	return nil
}

// JudgeCertificate says whether key, signature and purpose of a certificate are on the list:
// Ed25519, P-256 or RSA of 3072 to 8192 bits; SHA-256 or better; digital signatures; no authority.
// The use is x509.ExtKeyUsageClientAuth for a peer that dialled, x509.ExtKeyUsageServerAuth for
// one that listens. Access is Full or Refused.
func JudgeCertificate(c *x509.Certificate, use x509.ExtKeyUsage) Ruling {
	if len(c.Raw) > MaxCertificateBytes {
		return refuse("certificate has %d bytes: limit is %d", len(c.Raw), MaxCertificateBytes)
	}
	if reason := judgeKey(c.PublicKey); reason != "" {
		return refuse("%s", reason)
	}
	if !slices.Contains(allowedSignatures(), c.SignatureAlgorithm) {
		return refuse("certificate is signed with %s: want SHA-256 or better", c.SignatureAlgorithm)
	}
	if c.IsCA || c.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		return refuse("certificate is one of an authority: want one that stands for itself only")
	}
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return refuse("certificate's key usage forbids digital signatures")
	}
	if !allowsUse(c, use) {
		return refuse("certificate's extended key usage does not allow this side of TLS")
	}
	if len(c.UnhandledCriticalExtensions) > 0 {
		return refuse("certificate has critical extension %s, which is not understood", c.UnhandledCriticalExtensions[0])
	}
	return Ruling{Access: Full}
}

func judgeKey(key any) string {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return ""
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return ""
		}
		return fmt.Sprintf("certificate's key is on curve %s: want P-256", key.Curve.Params().Name)
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		if bits < MinRSABits || bits > MaxRSABits {
			return fmt.Sprintf("certificate's RSA key has %d bits: want %d to %d", bits, MinRSABits, MaxRSABits)
		}
		if key.E != rsaExponent {
			return fmt.Sprintf("certificate's RSA exponent is %d: want %d", key.E, rsaExponent)
		}
		return ""
	}
	return "certificate's key is of an unknown kind: want Ed25519, P-256 or RSA"
}

func allowedSignatures() []x509.SignatureAlgorithm {
	return []x509.SignatureAlgorithm{
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519,
		x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
	}
}

func allowsUse(c *x509.Certificate, use x509.ExtKeyUsage) bool {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	return slices.Contains(c.ExtKeyUsage, use) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// JudgeDates says what the dates of a peer's certificate mean for a peer of this role at now, the
// wall clock of the judging side.
//
// A server's certificate is never refused for its dates: a wrong clock must not cut an agent off
// from the only way to repair it. An expired agent is Restricted for 30 days, then Refused. An
// applicant must bring a certificate that has not ended and that is not made for longer than ours.
func JudgeDates(c *x509.Certificate, role Role, now time.Time) Ruling {
	end := c.NotAfter.Format(dateLayout)
	expired := now.After(c.NotAfter)
	switch days := int(c.NotAfter.Sub(c.NotBefore) / day); {
	case role == RoleApplicant && expired:
		return refuse("certificate ended on %s; either it is old or one of the two clocks is wrong", end)
	case role == RoleApplicant && days > maxNewDays:
		return refuse("certificate is valid for %d days: want at most %d", days, maxNewDays)
	case expired && role == RoleServer:
		return Ruling{Full, fmt.Sprintf("the server's certificate ended on %s, or this clock is wrong", end)}
	case expired && now.After(c.NotAfter.AddDate(0, 0, RestrictedDays)):
		return refuse("certificate ended on %s, more than %d days ago", end, RestrictedDays)
	case expired:
		return Ruling{Restricted, fmt.Sprintf("certificate ended on %s: until the key is rotated nothing runs", end)}
	case now.Before(c.NotBefore):
		return Ruling{Full, fmt.Sprintf("certificate begins on %s: one of the two clocks is wrong",
			c.NotBefore.Format(dateLayout))}
	case days > maxNewDays:
		return Ruling{Full, fmt.Sprintf("certificate is valid for %d days: more than the usual %d", days, CertificateDays)}
	case c.NotAfter.Sub(now) < c.NotAfter.Sub(c.NotBefore)/20:
		return Ruling{Full, fmt.Sprintf("certificate ends on %s", end)}
	}
	return Ruling{Access: Full}
}
