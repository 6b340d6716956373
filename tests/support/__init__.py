"""What the tests of all packages share: external programs, real packages to test on, and building small images."""
