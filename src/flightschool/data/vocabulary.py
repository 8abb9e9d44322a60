"""What made-up people are called and where they live. Short lists of our own: a library's lists change with it.

Order is part of the data: a name added anywhere but at the end, or moved, changes the bytes of every seed.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """A home region: its airport, first three digits of its postcodes, its area codes, its share of people."""

    airport: str
    postcodes: tuple[str, ...]
    area_codes: tuple[str, ...]
    weight: int


def _places(text: str) -> tuple[Place, ...]:
    rows = (line.split("|") for line in text.strip().splitlines())
    return tuple(Place(a.strip(), tuple(p.split()), tuple(c.split()), int(w)) for a, p, c, w in rows)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LOCAL = 3
"""The first so many places are New York's."""

PLACES = _places(
    """
    JFK | 112 113 114 115 117 110 116 118 | 718 347 917 516 631 | 128
    LGA | 100 104 111 105 106 107 101 068 | 212 646 917 914 203 | 112
    EWR | 070 071 072 073 074 076 088 078 079 103 | 201 973 908 732 551 | 108
    ORD | 606 600 601 604 605 | 312 773 847 630 | 21
    ATL | 303 300 301 302 | 404 770 678 | 17
    LAX | 900 902 904 906 913 | 213 310 323 818 | 16
    BOS | 021 024 019 018 | 617 781 508 | 16
    MCO | 328 327 347 | 407 321 | 14
    CLT | 282 280 281 | 704 980 | 14
    SFO | 941 940 944 | 415 650 | 13
    FLL | 333 330 | 954 754 | 12
    MIA | 331 330 | 305 786 | 12
    DCA | 200 222 223 | 202 703 | 10
    DTW | 482 481 480 | 313 248 734 | 9
    DFW | 752 750 760 761 | 214 972 817 | 9
    RDU | 276 275 277 | 919 984 | 8
    TPA | 336 335 346 | 813 727 | 7
    DEN | 802 800 801 | 303 720 | 7
    IAH | 770 773 774 | 713 281 832 | 9
    MSP | 554 551 553 | 612 651 952 | 7
    PBI | 334 | 561 | 7
    BNA | 372 370 371 | 615 | 6
    LAS | 891 890 | 702 | 6
    SJU | 009 007 | 787 939 | 6
    IAD | 201 220 221 | 703 571 | 6
    BUF | 142 140 | 716 | 5
    PHX | 850 852 853 | 602 480 623 | 5
    CLE | 441 440 | 216 440 | 5
    STL | 631 630 633 | 314 636 | 4
    CVG | 452 410 450 | 513 859 | 4
    SEA | 981 980 | 206 425 | 4
    MSY | 701 700 | 504 985 | 4
    RSW | 339 341 | 239 | 4
    CMH | 432 430 | 614 740 | 4
    CHS | 294 | 843 | 3
    PIT | 152 150 | 412 724 | 3
    MKE | 532 530 | 414 262 | 3
    SAN | 921 919 | 619 858 | 3
    JAX | 322 320 | 904 | 3
    BTV | 054 | 802 | 3
    SLC | 841 840 | 801 | 2
    RIC | 232 230 | 804 | 2
    AUS | 787 786 | 512 | 2
    ROC | 146 144 | 585 | 2
    PWM | 041 040 | 207 | 2
    IND | 462 460 | 317 | 2
    MCI | 641 640 661 | 816 913 | 2
    MEM | 381 380 | 901 | 2
    SYR | 132 130 | 315 | 2
    PDX | 972 970 | 503 | 1
    HNL | 968 967 | 808 | 1
    """
)

FEMALE = _words(
    """
    Mary Jennifer Patricia Linda Elizabeth Maria Susan Jessica Barbara Sarah Karen Lisa Nancy Sandra Ashley Emily
    Michelle Amanda Melissa Stephanie Rebecca Laura Kimberly Donna Deborah Amy Angela Nicole Cynthia Kathleen Samantha
    Rachel Christine Carolyn Janet Catherine Heather Diane Julie Emma Olivia Sophia Hannah Megan Victoria Lauren Ana
    Carmen Rosa Wei Mei Priya Anita Fatima Aisha Yuki Ingrid Chloë Zoë Inés Renée Siobhán Zofia Olga Natalia Leila Noor
    Miriam Ruth Esther Naomi Judith Alice Gloria Teresa Denise Tanya Latoya Keisha Imani Jasmine Destiny Brianna Kayla
    Alexis Madison Abigail Grace Isabella Ava Mia Camila Lucía Valentina Gabriela Daniela Soo-jin Thuy Linh Aaliyah Ebony
    Beatriz Marguerite Ottilie Perpetua
    """
)

MALE = _words(
    """
    James Michael John Robert David William Richard Joseph Thomas Christopher Daniel Matthew Anthony Mark Steven Andrew
    Paul Joshua Kenneth Kevin Brian George Timothy Ronald Jason Edward Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan
    Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick Frank Raymond Jack Dennis Jerry Tyler
    Aaron José Luis Carlos Juan Miguel Jesús Wei Jian Raj Arjun Mohammed Ahmed Omar Ali Hiroshi Minh Lars Seán François
    Björn Piotr Ivan Dmitri Abraham Isaac Moshe Adam Nathan Ethan Noah Liam Mason Logan Lucas Elijah Aiden Caleb Dylan
    Jamal Darnell Tyrone Malik DeShawn Marcus Curtis Leroy Andre Rubén Héctor Sang-woo Tuan Kwame Chidi Terrence Dwayne
    Ignatius Thaddeus Peregrine
    """
)

FAMILY = _words(
    """
    Smith Johnson Williams Brown Jones Garcia Rodriguez Miller Martinez Davis Hernandez Lopez Gonzalez Wilson Anderson
    Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young
    Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter
    Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers
    Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez
    Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez
    Chen Wang Li Zhang Liu Wu Singh Khan Ali Cohen Levy Katz Friedman Goldberg Shapiro Rossi Russo Esposito Ferrari
    Romano DeLuca O'Brien O'Connor O'Neill McCarthy Kowalski Nowak Ivanov Petrov Müller Schmidt Schneider Fischer Weber
    Núñez Peña Muñoz Ibáñez Côté Lefèvre Dubois Moreau Silva Santos Oliveira Pereira Tanaka Suzuki Sato Yamamoto Park
    Choi Jung Tran Pham Le Vu Okafor Adeyemi Mensah Diallo Hassan Ibrahim Haddad Nasser Kaplan Papadopoulos Johansson
    Hansen Larsen Nilsson Andersen van-Dijk de-Vries Washington Jefferson Banks Booker Freeman Dixon Hampton Vaughn
    Whitaker Blackwood Fairweather Underhill Featherstone
    """
)


def ranked(length: int) -> list[int]:
    """Weights that fall with the rank, as frequencies of names do: 1/(rank + 8), in whole numbers."""
    return [max(20_000 // (rank + 8), 1) for rank in range(length)]
