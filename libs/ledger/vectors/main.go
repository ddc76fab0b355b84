// Makes vectors of trees, proofs and notes with golang.org/x/mod/sumdb, and checks what others made with it.
//
//	go run . vectors            writes vectors as JSON
//	go run . check < LOG        reads a log as JSON and checks its checkpoint, proofs and tiles
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const origin = "castiron.example/ledger"

var sizes = []int64{1, 2, 3, 7, 8, 255, 256, 257, 300, 512, 1000}

type inclusion struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Path  []string `json:"path"`
}

type consistency struct {
	From int64    `json:"from"`
	Size int64    `json:"size"`
	Path []string `json:"path"`
}

type head struct {
	Size       int64  `json:"size"`
	Root       string `json:"root"`
	Checkpoint string `json:"checkpoint"`
}

type vectors struct {
	Origin      string        `json:"origin"`
	VerifierKey string        `json:"verifierKey"`
	Seed        string        `json:"seed"`
	Heads       []head        `json:"heads"`
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}

type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for n, index := range indexes {
		if index >= int64(len(m)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes[n] = m[index]
	}
	return hashes, nil
}

func encoded(hashes []tlog.Hash) []string {
	texts := make([]string, 0, len(hashes))
	for _, hash := range hashes {
		texts = append(texts, hash.String())
	}
	return texts
}

func grow(entries func(int64) []byte, size int64) (memory, error) {
	var stored memory
	for n := int64(0); n < size; n++ {
		hashes, err := tlog.StoredHashes(n, entries(n), stored)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	return stored, nil
}

// The signing key of the note package, of a seed that is no secret.
func signerOf(seed []byte) (note.Signer, string, error) {
	key := ed25519.NewKeyFromSeed(seed)
	vkey, err := note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, "", err
	}
	id := strings.Split(vkey, "+")[1]
	skey := "PRIVATE+KEY+" + origin + "+" + id + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
	signer, err := note.NewSigner(skey)
	return signer, vkey, err
}

func makeVectors() (*vectors, error) {
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	signer, vkey, err := signerOf(seed)
	if err != nil {
		return nil, err
	}
	made := &vectors{Origin: origin, VerifierKey: vkey, Seed: base64.StdEncoding.EncodeToString(seed)}
	stored, err := grow(func(n int64) []byte { return []byte(fmt.Sprintf("entry %d", n)) }, sizes[len(sizes)-1])
	if err != nil {
		return nil, err
	}
	for _, size := range sizes {
		root, err := tlog.TreeHash(size, stored)
		if err != nil {
			return nil, err
		}
		signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)}, signer)
		if err != nil {
			return nil, err
		}
		made.Heads = append(made.Heads, head{size, root.String(), string(signed)})
		for _, index := range []int64{0, size / 3, size / 2, size - 1} {
			proof, err := tlog.ProveRecord(size, index, stored)
			if err != nil {
				return nil, err
			}
			made.Inclusion = append(made.Inclusion, inclusion{index, size, encoded(proof)})
		}
		for _, from := range sizes {
			if from > size {
				break
			}
			proof, err := tlog.ProveTree(size, from, stored)
			if err != nil {
				return nil, err
			}
			made.Consistency = append(made.Consistency, consistency{from, size, encoded(proof)})
		}
	}
	return made, nil
}

// A log as others made it.
type log struct {
	VerifierKey string            `json:"verifierKey"`
	Entries     []string          `json:"entries"`
	Checkpoints []string          `json:"checkpoints"`
	Tiles       map[string]string `json:"tiles"`
	Inclusion   []inclusion       `json:"inclusion"`
	Consistency []consistency     `json:"consistency"`
}

func decoded(texts []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, 0, len(texts))
	for _, text := range texts {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func check(read *log) error {
	entry := func(n int64) []byte { return []byte(read.Entries[n]) }
	stored, err := grow(entry, int64(len(read.Entries)))
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(read.VerifierKey)
	if err != nil {
		return err
	}
	roots := map[int64]tlog.Hash{}
	for _, text := range read.Checkpoints {
		opened, err := note.Open([]byte(text), note.VerifierList(verifier))
		if err != nil {
			return err
		}
		lines := strings.Split(opened.Text, "\n")
		var size int64
		if _, err := fmt.Sscan(lines[1], &size); err != nil {
			return err
		}
		root, err := tlog.TreeHash(size, stored)
		if err != nil {
			return err
		}
		if lines[2] != root.String() {
			return fmt.Errorf("root of %d entries: %s, not %s", size, lines[2], root)
		}
		roots[size] = root
	}
	for _, one := range read.Inclusion {
		proof, err := decoded(one.Path)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, one.Size, roots[one.Size], one.Index, tlog.RecordHash(entry(one.Index))); err != nil {
			return fmt.Errorf("entry %d of %d: %w", one.Index, one.Size, err)
		}
	}
	for _, one := range read.Consistency {
		proof, err := decoded(one.Path)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, one.Size, roots[one.Size], one.From, roots[one.From]); err != nil {
			return fmt.Errorf("tree of %d in %d: %w", one.From, one.Size, err)
		}
	}
	for path, content := range read.Tiles {
		// The same tiles, but for the height that sumdb writes into the path.
		tile, err := tlog.ParseTilePath(strings.Replace(path, "tile/", "tile/8/", 1))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		expected, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if base64.StdEncoding.EncodeToString(expected) != content {
			return fmt.Errorf("%s has other hashes", path)
		}
	}
	fmt.Printf("checked %d checkpoints, %d and %d proofs, %d tiles\n", len(read.Checkpoints), len(read.Inclusion), len(read.Consistency), len(read.Tiles))
	return nil
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "vectors":
		made, err := makeVectors()
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(made)
	case len(arguments) == 1 && arguments[0] == "check":
		var read log
		if err := json.NewDecoder(os.Stdin).Decode(&read); err != nil {
			return err
		}
		return check(&read)
	default:
		return fmt.Errorf("usage: go run . vectors | go run . check < log.json")
	}
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
