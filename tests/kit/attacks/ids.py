"""Names of submissions that want to be a path, a formula, an option or a command elsewhere.

Each is the name of a folder that holds an honest half of exercise 5. It is marked under a name that
can do no harm, or refused in words; in either case it is there, and nothing else is touched.
"""

IDS = {
    "a_line_end": "two\nlines",
    "a_formula": "=cmd|' 'C calc'!A0",
    "another_formula": "@SUM(1+1)",
    "an_option": "--results",
    "a_hidden_folder": ".hidden",
    "dots": "...",
    "an_escape": "\x1b[31mred\x1b]0;x\x07",
    "reordered": "anna\u202etxt.exe",
    "markup": "[bold red]x[",
    "a_script": "<script>alert(1)<",
    "a_reserved_name": "CON",
    "a_drive": "C:",
    "spaces": "   ",
    "a_quote": "x'; DROP TABLE students; --",
    "a_percent": "%00%2e%2e%2f",
    "two_forms_of_one_name": "cafe\u0301",
    "long": "x" * 250,
    "the_home_of_every_student": "exercises",
    "another_layout": "Jane_12_assignsubmission_file_",
    "a_table_of_contents": "submission_metadata.yml",
    "a_shell_command": "$(touch left-by-an-attack)",
}
